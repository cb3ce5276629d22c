/** Jobs by number. A job is a record in memory and tasks that may be done in any order, by any thread, even twice. */
import { adamTask } from "./adam";
import {
  batchNormCoefficientsTask,
  batchNormGradientSumsTask,
  batchNormGradientTask,
  batchNormStatisticsTask,
  batchNormSumsTask,
  batchNormTask,
} from "./batch-norm";
import { convolveTask, inputGradientTask, packFilterTask, packTurnedTask, widenTask } from "./convolution";
import { embedGradientTask, embedTask } from "./embedding";
import {
  addPartsTask,
  addRowPartsTask,
  filterGradientTask,
  filterRowsTask,
  packGradientTask,
} from "./filter-gradient";
import { geluGradientTask, geluTask } from "./gelu";
import { gruBackTask, gruPackTask, gruPackTurnedTask, gruStepTask } from "./gru";
import { layerNormFinishTask, layerNormGradientTask, layerNormTask } from "./layer-norm";
import { lstmBackTask, lstmPackTask, lstmPackTurnedTask, lstmStepTask } from "./lstm";
import { packTask, productTask, thinTask } from "./matrix-product";
import { pairsTask, selectTask } from "./pairs";
import {
  averagePoolGradientTask,
  averagePoolTask,
  depthwiseFilterTask,
  depthwiseInputTask,
  maxPoolGradientTask,
  maxPoolTask,
} from "./pools";
import { reduceFinishTask, reduceTask } from "./reduce";
import { packSpreadTask, spreadTask } from "./spread";
import { crossEntropyGradientTask, crossEntropyTask, softmaxGradientTask, softmaxTask } from "./softmax";
import { sgdTask } from "./sgd";
import { unaryTask } from "./unary";

/** The numbers are those of `src/companion/companion.ts`. */
export function runTask(job: i32, at: usize, task: i32, scratch: usize): void {
  switch (job) {
    case 0: return packTask(at, task);
    case 1: return productTask(at, task, scratch);
    case 2: return packFilterTask(at, task);
    case 3: return convolveTask(at, task, scratch);
    case 4: return filterGradientTask(at, task, scratch);
    case 5: return packTurnedTask(at, task);
    case 6: return inputGradientTask(at, task, scratch);
    case 7: return softmaxTask(at, task);
    case 8: return unaryTask(at, task, scratch);
    case 9: return crossEntropyTask(at, task);
    case 10: return crossEntropyGradientTask(at, task);
    case 11: return adamTask(at, task, scratch);
    case 12: return embedTask(at, task);
    case 13: return embedGradientTask(at, task);
    case 14: return batchNormSumsTask(at, task);
    case 15: return batchNormStatisticsTask(at);
    case 16: return batchNormTask(at, task);
    case 17: return batchNormGradientSumsTask(at, task);
    case 18: return batchNormCoefficientsTask(at);
    case 19: return batchNormGradientTask(at, task);
    case 20: return lstmPackTask(at, task);
    case 21: return lstmStepTask(at, task, scratch);
    case 22: return lstmPackTurnedTask(at, task);
    case 23: return lstmBackTask(at, task, scratch);
    case 24: return pairsTask(at, task);
    case 25: return selectTask(at, task);
    case 26: return reduceTask(at, task);
    case 27: return reduceFinishTask(at, task);
    case 28: return maxPoolTask(at, task, scratch);
    case 29: return averagePoolTask(at, task, scratch);
    case 30: return maxPoolGradientTask(at, task, scratch);
    case 31: return averagePoolGradientTask(at, task, scratch);
    case 32: return depthwiseFilterTask(at, task, scratch);
    case 33: return depthwiseInputTask(at, task);
    case 34: return thinTask(at, task, scratch);
    case 35: return packSpreadTask(at, task);
    case 36: return spreadTask(at, task, scratch);
    case 37: return softmaxGradientTask(at, task);
    case 38: return geluTask(at, task);
    case 39: return geluGradientTask(at, task);
    case 40: return layerNormTask(at, task);
    case 41: return layerNormGradientTask(at, task);
    case 42: return layerNormFinishTask(at);
    case 43: return gruPackTask(at, task);
    case 44: return gruStepTask(at, task, scratch);
    case 45: return gruPackTurnedTask(at, task);
    case 46: return gruBackTask(at, task, scratch);
    case 47: return sgdTask(at, task);
    case 48: return widenTask(at, task);
    case 49: return packGradientTask(at, task);
    case 50: return addPartsTask(at, task);
    case 51: return filterRowsTask(at, task, scratch);
    case 52: return addRowPartsTask(at, task);
    default: unreachable();
  }
}
