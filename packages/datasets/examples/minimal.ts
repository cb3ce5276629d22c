import { batches, generateShapes, randomCrop, splitDataset } from "@gradlab/datasets";

const shapes = generateShapes({ count: 300, size: 32, channels: 3 }); // or readIdxImages(images, labels)
const [train] = splitDataset(shapes, { fractions: [0.8, 0.2], stratified: true });
const options = { size: 60, epochs: 2, augment: randomCrop({ padding: 4 }) };

// Steps 5 to 7 of a training, as a run that resumes there sees them.
for (const { step, epoch, images, labels, shape } of batches(train!, { ...options, step: 5 })) {
  console.log(step, epoch, `[${shape}]`, images.length, labels.slice(0, 10).join(" "));
}
