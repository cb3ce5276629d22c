/**
 * `npm run bench [NAME…]`: measures, and prints every figure beside its
 * reference, measured in the same run. Machines are noisy: read the ratios.
 */
const names = [
  "core",
  "random",
  "datasets",
  "lms",
  "receptive-field",
  "safetensors",
  "wasm-training",
  "companion",
  "lstm-lm",
  "rnn-lm",
  "classic-cnns",
  "attention",
  "attacks",
  "tfjs-node",
];
const chosen = process.argv.slice(2);
for (const name of chosen) {
  if (!names.includes(name)) {
    console.error(`bench: expected some of ${names.join(", ")}, got ${JSON.stringify(name)}`);
    process.exit(2);
  }
}

const number = (value) =>
  Number.isNaN(value) ? "–" : value >= 100 ? value.toFixed(0) : value.toPrecision(3);

for (const name of chosen.length > 0 ? chosen : names) {
  const { run } = await import(`./${name}.mjs`);
  for (const { name: what, value, unit, reference, ratio } of await run()) {
    console.log(
      `${what.padEnd(56)} ${number(value).padStart(8)} ${unit.padEnd(10)} ${number(ratio).padStart(8)} x  ${reference}`,
    );
  }
}
