/** The parts of WebGPU that are used here; not every TypeScript library knows them. */
export interface Gpu {
  requestAdapter(options: { powerPreference: "low-power" | "high-performance" }): Promise<GpuAdapter | null>;
}

export interface GpuAdapterInfo {
  readonly vendor?: string;
  readonly architecture?: string;
  readonly device?: string;
  readonly description?: string;
  readonly isFallbackAdapter?: boolean;
}

export interface GpuAdapter {
  readonly info?: GpuAdapterInfo;
  readonly isFallbackAdapter?: boolean;
  readonly features: { has(name: string): boolean };
  readonly limits: Readonly<Record<string, number>>;
  requestDevice(descriptor: object): Promise<GpuDevice>;
}

export interface GpuDevice {
  readonly adapterInfo?: GpuAdapterInfo;
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  addEventListener(
    type: "uncapturederror",
    listener: (event: { readonly error: { readonly message: string }; preventDefault(): void }) => void,
  ): void;
  destroy(): void;
}

export interface GpuBuffer {
  readonly size: number;
  readonly usage: number;
  destroy(): void;
}

/** The WebGPU of the page, or the one that was provided in Node; undefined where there is none. */
export const currentGpu = (): Gpu | undefined =>
  (globalThis as { navigator?: { readonly gpu?: Gpu } }).navigator?.gpu;
