export { repairKernels } from "./repair-kernels.js";
