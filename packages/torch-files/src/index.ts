export { otherFile } from "./other-file.js";
export {
  type ListedTensor,
  listTorchTensors,
  looksLikeTorch,
  type ReadTorchOptions,
  readTorch,
  type TorchFile,
} from "./read-torch.js";
export { TorchFileError } from "./torch-file-error.js";
