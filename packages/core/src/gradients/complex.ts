import {
  add,
  complex,
  div,
  divNoNan,
  type GradConfig,
  imag,
  mul,
  real,
  reshape,
  spectral,
  type Tensor,
  type Tensor2D,
  tidy,
  zeros,
} from "@tensorflow/tfjs-core";

/** The derivatives of the objective with respect to the real and to the imaginary part. */
interface Parts {
  readonly re: Tensor;
  readonly im: Tensor;
}

/**
 * The tape refuses gradients that are not float32, so that those of complex tensors cannot travel on it. Zeros travel in
 * their place, and the parts wait here, by the data that a tensor shares with its clones and reshapes, until the tape
 * comes to the kernel that made it; that is after all who used it.
 */
const waiting = new WeakMap<object, Parts>();

/** What a kernel sends to the tensor that it read; zeros for the tape. */
function send(to: Tensor, parts: Partial<Parts>): () => Tensor {
  tidyParts(() => {
    const { re, im } = waiting.get(to.dataId) ?? {};
    const sum = (old: Tensor | undefined, more: Tensor | undefined) => {
      const shaped = more === undefined ? undefined : reshape(more, [to.size]);
      return old === undefined ? (shaped ?? zeros([to.size])) : shaped === undefined ? old : add(old, shaped);
    };
    return { re: sum(re, parts.re), im: sum(im, parts.im) };
  }, to);
  return () => zeros(to.shape);
}

/** Keeps parts for a tensor: they live as long as the backward pass that computes them. */
function tidyParts(compute: () => Parts, to: Tensor): void {
  const [re, im] = tidy(() => {
    const parts = compute();
    return [parts.re, parts.im];
  }) as [Tensor, Tensor];
  waiting.set(to.dataId, { re, im });
}

/** What has been sent to the tensor that a kernel made. */
function receive(made: Tensor): Parts {
  const parts = waiting.get(made.dataId);
  waiting.delete(made.dataId);
  if (parts === undefined) return { re: zeros(made.shape), im: zeros(made.shape) };
  return { re: reshape(parts.re, made.shape), im: reshape(parts.im, made.shape) };
}

/** The transpose of a Fourier transform, which is symmetric, is the transform of the conjugate, conjugated. */
function fourierGradient(kernelName: "FFT" | "IFFT"): GradConfig {
  return {
    kernelName,
    inputsToSave: ["input"],
    outputsToSave: [true],
    gradFunc: (_dy, saved) => {
      const [input, output] = saved as [Tensor, Tensor];
      const [re, im] = tidy(() => {
        const { re, im } = receive(output);
        const n = input.shape.at(-1)!;
        const rows: [number, number] = [input.size / n, n];
        const arrived = complex(reshape(re, rows), reshape(im, rows)) as Tensor2D;
        // The other direction divides by n where this one does not.
        const back = kernelName === "FFT" ? spectral.ifft(arrived) : spectral.fft(arrived);
        const scale = (x: Tensor) => (kernelName === "FFT" ? mul(x, n) : div(x, n));
        return [scale(real(back)), scale(imag(back))];
      }) as [Tensor, Tensor];
      return { input: send(input, { re, im }) };
    },
  };
}

/**
 * The gradients of the ops that complex numbers are made with, taken apart and transformed: `complex`, `real`, `imag`,
 * `abs`, `fft`, `ifft`, and so `rfft` and `irfft`. What is differentiated are their real and imaginary parts, so that an
 * objective has to be real.
 *
 * tfjs-core has none but for `abs`, where it is that of the real part's sign.
 */
export const complexGradients: readonly GradConfig[] = [
  {
    kernelName: "Complex",
    outputsToSave: [true],
    gradFunc: (_dy, saved) => {
      const { re, im } = receive(saved[0]!);
      return { real: () => re.clone(), imag: () => im.clone() };
    },
  },
  {
    kernelName: "Real",
    inputsToSave: ["input"],
    gradFunc: (dy, saved) => ({ input: send(saved[0]!, { re: dy as Tensor }) }),
  },
  {
    kernelName: "Imag",
    inputsToSave: ["input"],
    gradFunc: (dy, saved) => ({ input: send(saved[0]!, { im: dy as Tensor }) }),
  },
  {
    kernelName: "ComplexAbs",
    inputsToSave: ["x"],
    outputsToSave: [true],
    gradFunc: (dy, saved) => {
      const [x, y] = saved as [Tensor, Tensor];
      const share = (part: Tensor) => mul(dy as Tensor, divNoNan(part, y));
      return { x: send(x, { re: share(real(x)), im: share(imag(x)) }) };
    },
  },
  fourierGradient("FFT"),
  fourierGradient("IFFT"),
];
