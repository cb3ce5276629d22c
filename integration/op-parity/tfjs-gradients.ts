/** What `@tensorflow/tfjs` registers beside its backends: its gradients, and the chained ops that some of them call. */
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
