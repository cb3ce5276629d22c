import { checkEquivariance, initMultiHeadAttention, multiHeadAttention } from "@gradlab/attention";
import "@tensorflow/tfjs-backend-cpu";
import { enableProdMode, expandDims, squeeze, type Tensor } from "@tensorflow/tfjs-core";

enableProdMode(); // no advertisement
const params = initMultiHeadAttention({ width: 8, heads: 2 });
for (const causal of [false, true]) {
  const f = (x: Tensor) => squeeze(multiHeadAttention(params, expandDims(x), { heads: 2, causal }));
  const { held, elements } = await checkEquivariance(f, { tokens: 5 });
  console.log(`causal: ${causal}, f(PX) = P f(X) for ${held} of ${elements}`);
}
