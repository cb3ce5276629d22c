export type { CandidateName, CandidateReport, CandidateStatus } from "./candidate.js";
export { type Diagnosis, doctor } from "./doctor.js";
export { NoBackendError } from "./no-backend-error.js";
export { repairKernels } from "./repair-kernels.js";
export { type Selection, selectBackend } from "./select-backend.js";
export type { SelectOptions } from "./select-options.js";
