/** The classes of Fashion-MNIST, by label. @see Xiao, Rasul, Vollgraf 2017, https://arxiv.org/abs/1708.07747, table 2 */
export const fashionMnistLabels: readonly string[] = [
  "T-shirt/top",
  "trouser",
  "pullover",
  "dress",
  "coat",
  "sandal",
  "shirt",
  "sneaker",
  "bag",
  "ankle boot",
];

/** The classes of CIFAR-10, by label. @see Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html */
export const cifar10Labels: readonly string[] = [
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
];
