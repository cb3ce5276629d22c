import {
  findBackend,
  getKernel,
  type KernelConfig,
  registerKernel,
  type TensorInfo,
} from "@tensorflow/tfjs-core";

/** The parts of tfjs's backends by which a tensor goes from one to the other. */
interface CpuBackend {
  readonly data: { get(dataId: object): { readonly values: Float32Array } };
  disposeIntermediateTensorInfo(tensor: TensorInfo): void;
}
interface WebglBackend {
  makeTensorInfo(shape: number[], dtype: string, values: Float32Array): TensorInfo;
}

/** The gradients of `dilation2d` on WebGL, which tfjs lacks there, computed by the cpu backend. */
export function addDilationGradients(): void {
  for (const kernelName of ["Dilation2DBackpropInput", "Dilation2DBackpropFilter"]) {
    if (!getKernel(kernelName, "webgl")) registerKernel(onCpu(kernelName));
  }
}

/** Inputs move by themselves when the cpu's kernel asks for their values, the result is copied. */
function onCpu(kernelName: string): KernelConfig {
  return {
    kernelName,
    backendName: "webgl",
    kernelFunc: ({ inputs, attrs, backend }) => {
      const kernel = getKernel(kernelName, "cpu");
      const cpu = findBackend("cpu");
      if (!kernel || !cpu) throw new Error(`the kernel ${kernelName} of webgl needs the cpu backend`);
      const output = kernel.kernelFunc({ inputs, ...(attrs && { attrs }), backend: cpu }) as TensorInfo;
      const { data, disposeIntermediateTensorInfo } = cpu as unknown as CpuBackend;
      const { values } = data.get(output.dataId);
      const result = (backend as WebglBackend).makeTensorInfo(output.shape, output.dtype, values);
      disposeIntermediateTensorInfo.call(cpu, output);
      return result;
    },
  };
}
