import { network, networkNames, summary } from "../src/index.js";

/** The table of README.md: what each network has and costs. */
export function readmeTable(): string[][] {
  const grouped = (value: number) => value.toLocaleString("en-US");
  return [
    ["`network`", "input", "layers with weights", "parameters", "multiply-accumulates"],
    ...networkNames.map((name) => {
      const graph = network(name);
      const { layers, params, macs } = summary(graph);
      const input = [graph.input.channels, ...graph.input.shape].join(" x ");
      const weighted = layers.filter(({ weights }) => weights > 0).length;
      return [`\`${name}\``, input, `${weighted}`, grouped(params), grouped(macs)];
    }),
  ];
}
