import {
  add,
  cast,
  complex,
  concat,
  type DataType,
  imag,
  mul,
  type NamedAttrMap,
  type NamedTensorMap,
  real,
  sub,
  type Tensor,
  zerosLike,
} from "@tensorflow/tfjs-core";

const isComplex = (x: Tensor): boolean => x.dtype === "complex64";
const re = (x: Tensor): Tensor => (isComplex(x) ? real(x) : x);
const im = (x: Tensor): Tensor => (isComplex(x) ? imag(x) : zerosLike(x));

/**
 * Arithmetic on complex numbers by their real and imaginary parts, of which the tape knows the gradients; null for
 * kernels that are left alone.
 */
export function complexArithmetic(
  kernelName: string,
  inputs: NamedTensorMap | Tensor[],
  attrs: NamedAttrMap | undefined,
): Tensor | null {
  const all = Object.values(inputs) as Tensor[];
  const target = attrs?.dtype;
  if (kernelName === "Cast" && isComplex(all[0]!) !== (target === "complex64")) {
    const x = all[0]!;
    return target === "complex64" ? complex(x, zerosLike(x)) : cast(real(x), target as DataType);
  }
  if (!all.some((x) => isComplex(x))) return null;
  const [a, b] = all as [Tensor, Tensor];
  switch (kernelName) {
    case "Add":
      return complex(add(re(a), re(b)), add(im(a), im(b)));
    case "Sub":
      return complex(sub(re(a), re(b)), sub(im(a), im(b)));
    case "Multiply":
      return complex(sub(mul(re(a), re(b)), mul(im(a), im(b))), add(mul(re(a), im(b)), mul(im(a), re(b))));
    case "Concat": {
      const axis = attrs!.axis as number;
      return complex(concat(all.map(re), axis), concat(all.map(im), axis));
    }
    default:
      return null;
  }
}
