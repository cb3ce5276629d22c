export { type ReadTorchOptions, readTorch, type TorchFile } from "./torch/read-torch.js";
export { TorchFileError } from "./torch/torch-file-error.js";
