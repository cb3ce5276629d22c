/**
 * Makes the cpu backend of tfjs compute in float64, for finite differences that are worth something: its kernels take
 * every array of float32 from this global. To be imported before anything of tfjs.
 */
globalThis.Float32Array = Float64Array as unknown as Float32ArrayConstructor;
