export {
  type EnableWasmTrainingOptions,
  enableWasmTraining,
  type WasmTraining,
} from "./enable-wasm-training.js";
