export { type GraphModelOptions, graphModelToGraph } from "./graph-model/graph-model.js";
export { weightShardPaths } from "./graph-model/weights-manifest.js";
export { type LayersModelOptions, layersModelToGraph } from "./keras/layers-model.js";
export { toLayerGraph } from "./to-layer-graph.js";
