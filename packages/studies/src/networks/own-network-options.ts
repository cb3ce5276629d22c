import type { OptionTable, TextOption } from "../declaration/option.js";

/** What one says of a network of one's own: its classes' names, and where it differs from the one of that name. */
export const ownNetworkOptions = {
  labels: { kind: "file", help: "names of the classes: a line each, or JSON" },
  input: {
    kind: "integers",
    least: 1,
    unit: "pixels",
    placeholder: "<size>",
    help: "input size N or H,W (default: that of the network)",
  },
  channels: { kind: "integer", least: 1, help: "input channels of --net" },
  classes: { kind: "integer", least: 1, help: "number of classes of --net" },
  width: {
    kind: "numbers",
    above: 0,
    help: "a factor for the channels of --net, or the channels themselves",
  },
} as const satisfies OptionTable;

/** A network of one's own in the notation of `receptive-field`, with all that computing it needs. */
export const specOption = {
  kind: "text",
  placeholder: "<text>",
  help: 'or a network of your own in words: "conv1 5 p2 f6, relu, pool1 2/2, flatten, dense"',
} as const satisfies TextOption;
