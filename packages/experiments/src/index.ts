export { jpegColour } from "./attacks/jpeg-colour.js";
export { jpegGrey } from "./attacks/jpeg-grey.js";
export { type ClassifiedImages, classifiedImages } from "./classified-images.js";
export {
  defineExperiment,
  type Experiment,
  type ExperimentContext,
  type ExperimentInputs,
} from "./experiment.js";
export { type Photograph, photograph, pictureName } from "./photograph.js";
export { experiments } from "./registry.js";
export {
  type CourseChapter,
  type CourseQuestion,
  courseIndex,
  courseMarkdown,
} from "./report/course-index.js";
export { escapeHtml, factsHtml, figureHtml, type Page, page } from "./report/page.js";
export { type Report, reportHtml } from "./report/report-html.js";
export {
  chooseExperiments,
  type ExperimentResult,
  type LeftOut,
  packageOf,
  type Reproduced,
  type ReproduceEvent,
  type Reproduction,
  reproduce,
} from "./reproduce.js";
