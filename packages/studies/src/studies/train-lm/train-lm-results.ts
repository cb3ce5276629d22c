import { linePanels } from "@gradlab/figures";
import type { Figure, Table } from "../../declaration/study.js";
import { duration, grouped, lines, short } from "../../declaration/wording.js";
import type { LmEpoch, TrainLmRecord } from "./train-lm-record.js";

export function trainLmTables(record: TrainLmRecord): Table[] {
  const { data, steps, seconds, epochs, stopped, bestEpoch, valid, test, sample } = record;
  const right = "right" as const;
  const last = epochs.at(-1)!;
  const how = stopped === "patience" ? `, stopped early; the parameters are those of epoch ${bestEpoch}` : "";
  const rows = [
    ["training", grouped(data.train), last.perplexity?.toFixed(2) ?? "–", `mean over epoch ${last.epoch}`],
    ...(valid === null ? [] : [["validation", grouped(valid.tokens), valid.perplexity.toFixed(2), ""]]),
    ...(test === null ? [] : [["test", grouped(test.tokens), test.perplexity.toFixed(2), ""]]),
    ...(data.optimum === null ? [] : [["optimum", "", data.optimum.toFixed(2), "no model does better"]]),
  ];
  return [
    lines(`${record.model.cell} after ${epochs.length} epochs, ${steps} steps, ${duration(seconds)}${how}`),
    {
      columns: [
        { title: "text" },
        { title: "tokens", align: right },
        { title: "perplexity", align: right },
        { title: "" },
      ],
      rows,
      notes: [],
    },
    lines("it says", ...sample.trim().split("\n").slice(0, 6)),
  ];
}

export function trainLmFigures(
  record: TrainLmRecord,
  { document }: { readonly document: Document },
): Figure[] {
  const { epochs, data } = record;
  const points = (value: (epoch: LmEpoch) => number | null) =>
    epochs.flatMap((epoch) => {
      const y = value(epoch);
      return y === null ? [] : [[epoch.epoch, y] as const];
    });
  const watched = points(({ validPerplexity }) => validPerplexity);
  const own = points(({ perplexity }) => perplexity);
  const optimum =
    data.optimum === null
      ? []
      : [{ name: "optimum", points: epochs.map(({ epoch }) => [epoch, data.optimum!] as const) }];
  const svg = linePanels(
    [
      { title: "loss, nats a token", series: [{ name: "training", points: points(({ loss }) => loss) }] },
      {
        title: "perplexity",
        series: [
          ...(own.length === 0 ? [] : [{ name: "training", points: own }]),
          ...(watched.length === 0 ? [] : [{ name: "validation", points: watched }]),
          ...optimum,
        ],
      },
    ].filter(({ series }) => series.length > 0),
    { document },
  );
  const seen = epochs.flatMap(({ validPerplexity, perplexity }) => validPerplexity ?? perplexity ?? []);
  return [
    {
      name: "training",
      caption: `Training of ${record.model.cell} on ${data.source}: mean of every epoch${seen.length === 0 ? "" : `; the lowest perplexity is ${short(Math.min(...seen))}`}.`,
      svg,
    },
  ];
}
