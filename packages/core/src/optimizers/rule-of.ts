import { adadelta } from "./adadelta.js";
import { adagrad } from "./adagrad.js";
import { adam } from "./adam.js";
import { adamax } from "./adamax.js";
import { momentum } from "./momentum.js";
import type { FullOptimizerConfig } from "./optimizer-config.js";
import { rmsprop } from "./rmsprop.js";
import { sgd } from "./sgd.js";
import type { UpdateRule } from "./update-rule.js";

/** The optimizer that a configuration describes, for one tensor. */
export function ruleOf(config: FullOptimizerConfig): UpdateRule {
  switch (config.name) {
    case "sgd":
      return sgd;
    case "momentum":
      return momentum(config);
    case "adam":
    case "adamw":
      return adam(config);
    case "adamax":
      return adamax(config);
    case "rmsprop":
      return rmsprop(config);
    case "adagrad":
      return adagrad(config);
    case "adadelta":
      return adadelta(config);
  }
}
