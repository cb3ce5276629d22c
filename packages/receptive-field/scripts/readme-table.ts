import { exampleNetworks, receptiveField } from "../src/index.js";

/** The table of README.md: the layers of AlexNet on 227 pixels. */
export function readmeTable(): string[][] {
  const { layers } = receptiveField(exampleNetworks["alexnet-227"], { inputSize: 227 });
  return [
    ["layer", "units", "jump", "size", "start", "padding"],
    ...layers.map(({ name, n, jump, size, start, padding }) => [
      `\`${name}\``,
      ...[n, jump, size, start, padding].map((values) => `${values[0]}`),
    ]),
  ];
}
