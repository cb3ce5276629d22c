export { type Adjustment, adjustImage } from "./adjust-image.js";
export {
  compose,
  normalize,
  randomAdjustment,
  randomCrop,
  randomCutout,
  randomFlip,
  randomTransform,
} from "./augmentations.js";
export { type BatchIndicesOptions, type BatchPlan, batchIndices, stepsPerEpoch } from "./batch-indices.js";
export { type BatchesOptions, batches } from "./batches.js";
export { type BatchesOfOptions, batchesOf, type TrainingBatch } from "./batches-of.js";
export { type BytePairs, bytePairs } from "./byte-pairs.js";
export { centerCrop } from "./center-crop.js";
export { convertChannels } from "./convert-channels.js";
export { cropImage, type Rectangle } from "./crop-image.js";
export { cutOut } from "./cut-out.js";
export type { Dataset } from "./dataset.js";
export { type DatasetFromPixelsOptions, datasetFromPixels } from "./dataset-from-pixels.js";
export { flipImage } from "./flip-image.js";
export { generateShapes, type ShapesOptions, shapeNames } from "./generate-shapes.js";
export { generatedScene } from "./generated-scene.js";
export type { IdxArray, IdxDtype } from "./idx-format.js";
export type { Image } from "./image.js";
export { type InOrderOptions, inOrder } from "./in-order.js";
export { cifar10Labels, fashionMnistLabels } from "./label-names.js";
export { imageNetMoments, type Moments, normalizeImage } from "./normalize-image.js";
export type { Pixels } from "./pixels.js";
export { type PreprocessImageNetOptions, preprocessImageNet } from "./preprocess-image-net.js";
export { readCifar10 } from "./read-cifar10.js";
export { type ReadIdxOptions, readIdx } from "./read-idx.js";
export { type ReadIdxImagesOptions, readIdxImages } from "./read-idx-images.js";
export {
  listMat,
  looksLikeMat,
  type MatMatrix,
  type MatVariable,
  type ReadMatOptions,
  readMat,
} from "./read-mat.js";
export { resizeDataset } from "./resize-dataset.js";
export { resizeImage } from "./resize-image.js";
export { selectSamples } from "./select-samples.js";
export {
  type SequenceBatch,
  type SequenceBatchOptions,
  type SequenceTask,
  type SequenceTaskName,
  type SequenceTaskOptions,
  sequenceBatch,
  sequenceTask,
  sequenceTaskNames,
} from "./sequence-task.js";
export { type SplitOptions, splitDataset } from "./split-dataset.js";
export { type Augmentation, type Batch, type TakeBatchOptions, takeBatch } from "./take-batch.js";
export { bytePairDictionary } from "./text/byte-pair-dictionary.js";
export {
  type Corpus,
  type CorpusOptions,
  corpusOf,
  decodeIds,
  encodeText,
  readCorpus,
} from "./text/corpus.js";
export {
  type Dictionary,
  endOfLine,
  parseDictionary,
  type TextLevel,
  tokenId,
  tokenText,
  unknownToken,
} from "./text/dictionary.js";
export { type GenerateTextOptions, generateText } from "./text/generate-text.js";
export {
  type Grammar,
  type GrammarFacts,
  type GrammarStep,
  grammarFacts,
  grammarSurprises,
} from "./text/grammar.js";
export { sentenceGrammar } from "./text/sentence-grammar.js";
export {
  type TextBatch,
  type TextColumns,
  type TextColumnsOptions,
  textColumns,
} from "./text/text-columns.js";
export { type Transform, transformImage } from "./transform-image.js";
export { writeIdx } from "./write-idx.js";
