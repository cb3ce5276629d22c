/**
 * A function `train(backend)` for programs of consumers, which have imported
 * tfjs-core as `tf` and safetensors: two steps of Adam through kernels that stock wasm lacks or
 * gets wrong; writes the weights, reads them back, and gives the losses before each step
 * and after the last.
 */
export const twoSteps = `
const train = async (backend) => {
  await tf.setBackend(backend);
  const start = tf.tensor4d(Array.from({ length: 18 }, (_, i) => Math.sin(i)), [3, 3, 1, 2]);
  const filter = tf.variable(start, true, "filter-" + backend);
  const x = tf.tensor4d(Array.from({ length: 72 }, (_, i) => -1 - Math.cos(i)), [2, 6, 6, 1]);
  const rows = tf.tensor1d([1, 0, 1], "int32");
  const loss = () => {
    const y = tf.maxPool(tf.conv2d(x, filter, 1, "same"), 2, 2, "valid");
    return tf.mean(tf.square(tf.gather(tf.where(tf.greater(y, 0), y, tf.mul(y, 2)), rows)));
  };
  const optimizer = tf.train.adam(0.1);
  const losses = [];
  for (let i = 0; i < 2; i++) losses.push((await optimizer.minimize(loss, true, [filter]).data())[0]);
  losses.push((await loss().data())[0]);
  const data = await filter.data();
  const file = writeSafetensors({ filter: { dtype: "F32", shape: filter.shape, data } });
  const read = readSafetensors(file).tensors.get("filter").data;
  if (read.length !== 18 || read.some((value, i) => value !== data[i])) throw new Error("the filter was not read back");
  return losses;
};`;
