import { readFileSync } from "node:fs";

interface Measured {
  readonly name: string;
  /** Milliseconds: the companion with two threads and with one, the composition, PyTorch. */
  readonly two: number;
  readonly one: number;
  readonly composition: number;
  readonly torch: number | null;
  readonly twoOfTorch: number | null;
  readonly oneOfTorch: number | null;
  readonly floor: number;
}

interface Times {
  readonly measured: readonly Measured[];
}

const number = (value: number | null) =>
  value === null ? "" : value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));

/** What `npm run bench companion` measured last, as `GRADLAB_BENCH_WRITE=1` kept it. */
export function readmeTable(): string[][] {
  const { measured } = JSON.parse(
    readFileSync(new URL("companion-times.json", import.meta.url), "utf8"),
  ) as Times;
  const head = [
    "milliseconds",
    "2 threads",
    "1 thread",
    "composition",
    "PyTorch",
    "2 threads / PyTorch",
    "1 thread / PyTorch",
    "floor of 1 thread",
  ];
  const rows = measured.map((row) => [
    row.name,
    ...[row.two, row.one, row.composition, row.torch, row.twoOfTorch, row.oneOfTorch, row.floor].map(number),
  ]);
  return [head, ...rows];
}
