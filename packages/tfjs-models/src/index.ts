export { checkModel } from "./check-model.js";
export { type GraphModelOptions, graphModelToGraph } from "./graph-model/graph-model.js";
export { weightShardPaths } from "./graph-model/weights-manifest.js";
export { type LayersModelOptions, layersModelToGraph } from "./keras/layers-model.js";
export type { ModelRow, ModelRows, ModelRowsOptions } from "./model-row.js";
export { modelRows } from "./model-rows.js";
export type { Shape } from "./model-shape.js";
export { type ScoreKind, scoreKind } from "./score-kind.js";
export { toLayerGraph } from "./to-layer-graph.js";
