import type { GeometryOp } from "./op.js";
import { convolutions } from "./ops/convolutions.js";
import { elementwise } from "./ops/elementwise.js";
import { pools } from "./ops/pools.js";
import { products } from "./ops/products.js";
import { reductionOps } from "./ops/reductions.js";

/** Every op whose geometry is checked. */
export const geometryOps: readonly GeometryOp[] = [
  ...convolutions,
  ...pools,
  ...products,
  ...elementwise,
  ...reductionOps,
];
