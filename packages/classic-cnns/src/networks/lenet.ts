import type { Layer } from "@gradlab/receptive-field";
import { activation, averagePool, conv, dense, flatten, maxPool } from "./layers.js";
import { type NetworkShape, stageWidths } from "./network-options.js";

/**
 * LeNet-5 as it is taught today: full connections in the second convolution, plain average pooling and no radial basis
 * functions. `"sigmoid"` averages, `"relu"` takes maxima.
 *
 * @see LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document recognition", §II.B
 */
export function lenet(shape: NetworkShape, fn: "sigmoid" | "relu"): Layer[] {
  const [c1, c2, f1, f2] = stageWidths(shape, [6, 16], [120, 84]) as [number, number, number, number];
  const pool = fn === "sigmoid" ? averagePool : maxPool;
  return [
    conv("conv1", c1, 5, { padding: 2 }),
    activation(`${fn}1`, fn),
    pool("pool1", 2),
    conv("conv2", c2, 5),
    activation(`${fn}2`, fn),
    pool("pool2", 2),
    flatten,
    dense("fc1", f1),
    activation(`${fn}3`, fn),
    dense("fc2", f2),
    activation(`${fn}4`, fn),
    dense("fc3", shape.classes),
  ];
}
