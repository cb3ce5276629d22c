import type { GeometryOp } from "./op.js";
import { convolutions } from "./ops/convolutions.js";
import { elementwise } from "./ops/elementwise.js";
import { fusedOps } from "./ops/fused.js";
import { imageOps } from "./ops/images.js";
import { indexingOps } from "./ops/indexing.js";
import { integerOps } from "./ops/integers.js";
import { logicOps } from "./ops/logic.js";
import { normOps } from "./ops/norms.js";
import { pools } from "./ops/pools.js";
import { products } from "./ops/products.js";
import { reductionOps } from "./ops/reductions.js";
import { shapeOps } from "./ops/shapes.js";
import { spectralOps } from "./ops/spectral.js";

/** Every op whose geometry is checked. */
export const geometryOps: readonly GeometryOp[] = [
  ...convolutions,
  ...fusedOps,
  ...pools,
  ...products,
  ...elementwise,
  ...reductionOps,
  ...shapeOps,
  ...indexingOps,
  ...normOps,
  ...imageOps,
  ...spectralOps,
  ...integerOps,
  ...logicOps,
];
