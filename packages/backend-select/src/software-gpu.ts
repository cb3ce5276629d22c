import type { GpuAdapterInfo } from "./gpu.js";

const emulators = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i;

/** Whether a driver's name is that of a GPU emulated on the CPU. */
export const isSoftwareRenderer = (name: string): boolean => emulators.test(name);

/** A name for an adapter, and whether it is emulated on the CPU. */
export function describeAdapter(
  info: GpuAdapterInfo,
  isFallbackAdapter = info.isFallbackAdapter,
): { readonly device: string | null; readonly software: boolean } {
  const { vendor = "", architecture = "", device = "", description = "" } = info;
  const short = [vendor, architecture].filter((part) => part !== "").join(" ");
  const name = description !== "" ? description : short !== "" ? short : device;
  return {
    device: name === "" ? null : name,
    software: isFallbackAdapter === true || isSoftwareRenderer([short, device, description].join(" ")),
  };
}
