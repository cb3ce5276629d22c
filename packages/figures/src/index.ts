export { type AttentionMapHead, type AttentionMapOptions, attentionMap } from "./attention-map.js";
export { type Confusion, type ConfusionMatrixOptions, confusionMatrix } from "./confusion-matrix.js";
export { type CurvesOverPointsOptions, curvesOverPoints, type NamedCurve } from "./curves-over-points.js";
export {
  type EffectiveFieldOverImageOptions,
  effectiveFieldOverImage,
  type FieldMass,
} from "./effective-field-over-image.js";
export { type FieldGrowthOptions, fieldGrowth, type GrowingNetwork } from "./field-growth.js";
export { type FittedPlane, type FittedPlanesOptions, fittedPlanes } from "./fitted-planes.js";
export { type GridImage, type ImageGridOptions, imageGrid } from "./image-grid.js";
export { type CaptionedImage, type ImageRowOptions, imageRow } from "./image-row.js";
export { imageSource, type Picture, pngFile } from "./image-source.js";
export { type ImageTableOptions, type ImageTableRow, imageTable } from "./image-table.js";
export { type LabelledPoint, type LabelledPointsOptions, labelledPoints } from "./labelled-points.js";
export {
  type Histogram,
  type LayerHistogramRow,
  type LayerHistogramsOptions,
  layerHistograms,
} from "./layer-histograms.js";
export { type LearningCurve, type LearningCurvesOptions, learningCurves } from "./learning-curves.js";
export { type LinePanel, type LinePanelsOptions, linePanels } from "./line-panels.js";
export { type LabelledMatrix, type MatrixGridOptions, matrixGrid } from "./matrix-grid.js";
export { type ReachDiagramOptions, reachDiagram, type UnitReach } from "./reach-diagram.js";
export { stackFigures } from "./stack-figures.js";
export { svgText } from "./svg-text.js";
export {
  type ImageSource,
  type UnitBox,
  type UnitsOverImageOptions,
  unitsOverImage,
} from "./units-over-image.js";
export { type UnrolledGraphOptions, unrolledGraph } from "./unrolled-graph.js";
