import type { DataType } from "@tensorflow/tfjs-core";
import type { BackendWasm, TensorInfo } from "../heap.js";
import { expectReal, type KernelArguments, kernelOver } from "../kernel.js";
import { mapElements } from "./elementwise.js";

type Stock = Parameters<Parameters<typeof kernelOver>[1]>[1];

const isNonZero = (value: number) => (value !== 0 ? 1 : 0);
const asItIs = (value: number) => value;

/** Copies elements as another type: a boolean is whether an element is not zero, an integer leaves its fraction out. */
export function castTo(backend: BackendWasm, x: TensorInfo, dtype: DataType): TensorInfo {
  return mapElements(backend, x, dtype === "bool" ? isNonZero : asItIs, dtype);
}

/** A copy shares the elements: no kernel of the backend writes to its inputs. */
export const identityKernels = () => [
  kernelOver("Identity", ({ inputs, backend, attrs }: KernelArguments, stock: Stock) => {
    const x = inputs.x!;
    if (x.dtype === "string") return stock({ inputs, backend, attrs });
    backend.incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
  }),
  kernelOver("Cast", ({ inputs, backend, attrs }: KernelArguments, stock: Stock) => {
    const x = inputs.x!;
    if (x.dtype === "string") return stock({ inputs, backend, attrs });
    expectReal("cast", x, { ...x, dtype: attrs.dtype });
    if (x.dtype !== attrs.dtype) return castTo(backend, x, attrs.dtype);
    backend.incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
  }),
];
