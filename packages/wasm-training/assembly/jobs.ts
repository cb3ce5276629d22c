/** Jobs by number. A job is a record in memory and tasks that may be done in any order, by any thread, even twice. */
import {
  convolveTask,
  filterGradientTask,
  inputGradientTask,
  packFilterTask,
  packTurnedTask,
} from "./convolution";
import { packTask, productTask } from "./matrix-product";

export const PACK = 0;
export const PRODUCT = 1;
export const PACK_FILTER = 2;
export const CONVOLVE = 3;
export const FILTER_GRADIENT = 4;
export const PACK_TURNED = 5;
export const INPUT_GRADIENT = 6;

export function runTask(job: i32, at: usize, task: i32, scratch: usize): void {
  switch (job) {
    case PACK:
      packTask(at, task);
      break;
    case PRODUCT:
      productTask(at, task, scratch);
      break;
    case PACK_FILTER:
      packFilterTask(at, task);
      break;
    case CONVOLVE:
      convolveTask(at, task, scratch);
      break;
    case FILTER_GRADIENT:
      filterGradientTask(at, task, scratch);
      break;
    case PACK_TURNED:
      packTurnedTask(at, task);
      break;
    case INPUT_GRADIENT:
      inputGradientTask(at, task, scratch);
      break;
    default:
      unreachable();
  }
}
