export type { CandidateName, CandidateReport, CandidateStatus } from "./candidate.js";
export { NoBackendError } from "./no-backend-error.js";
export { repairKernels } from "./repair-kernels.js";
export {
  type Diagnosis,
  doctor,
  type Selection,
  type SelectOptions,
  selectBackend,
} from "./select-backend.js";
