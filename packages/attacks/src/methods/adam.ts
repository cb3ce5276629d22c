/** Adam on one array: the step for each gradient, which is to be subtracted. */
export function adam(length: number, learningRate: number): (gradient: ArrayLike<number>) => Float64Array {
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];
  const first = new Float64Array(length);
  const second = new Float64Array(length);
  let count = 0;
  return (gradient) => {
    count++;
    const step = new Float64Array(length);
    for (let i = 0; i < length; i++) {
      first[i] = beta1 * first[i]! + (1 - beta1) * gradient[i]!;
      second[i] = beta2 * second[i]! + (1 - beta2) * gradient[i]! ** 2;
      const mean = first[i]! / (1 - beta1 ** count);
      const root = Math.sqrt(second[i]! / (1 - beta2 ** count));
      step[i] = (learningRate * mean) / (root + epsilon);
    }
    return step;
  };
}
