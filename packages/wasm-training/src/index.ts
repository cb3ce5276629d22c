export { type EnableWasmTrainingOptions, enableWasmTraining } from "./enable-wasm-training.js";
