import { type KernelArguments, kernelOver } from "../heap.js";

type Stock = Parameters<Parameters<typeof kernelOver>[1]>[1];

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
    if (x.dtype === "string" || x.dtype !== attrs.dtype) return stock({ inputs, backend, attrs });
    backend.incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
  }),
];
