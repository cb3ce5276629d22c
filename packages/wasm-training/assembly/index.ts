/**
 * The companion module: kernels that work in place on the memory of tfjs's
 * WASM backend. It has no data and no stack in that memory; the arguments of a
 * job stand in a record there, so that every thread can read them.
 */
export { allFinite } from "./all-finite";
export { helped, listen, runAlone, runTogether, stop } from "./threads";
