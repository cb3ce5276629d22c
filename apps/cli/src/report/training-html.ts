import type { Summary } from "@gradlab/classic-cnns";
import { escapeHtml, factsHtml, figureHtml, page } from "@gradlab/experiments";
import { describeBackend, duration } from "@gradlab/studies";
import type { Figure } from "../experiments/experiment.js";
import type { RunResult } from "../train-cnn/run-result.js";

/** A training as one file: what came of it, its figures, its layers, and what it was made with. */
export function trainingHtml(result: RunResult, figures: readonly Figure[], layers: Summary): string {
  const { network, data, epochs, steps, seconds, backend, versions, options, seed } = result;
  const [name, judged] =
    result.test !== null
      ? (["test", result.test] as const)
      : result.validation !== null
        ? (["validation", result.validation] as const)
        : (["training", result.training] as const);
  const { actual, device, software } = backend;
  const where = actual === null ? "" : ` on ${describeBackend({ name: actual, device, software })}`;
  const early = result.stopped === "patience" ? `; parameters of epoch ${result.bestEpoch}` : "";
  return page({
    title: `${network.name}, trained`,
    data: result,
    main: `<h1>${escapeHtml(network.name)}, trained</h1>
<p class="soft">${data.train.toLocaleString("en-US")} images of ${data.classes} classes from ${escapeHtml(data.source)}, ${epochs.length} epochs, ${steps} steps, ${duration(seconds)}${escapeHtml(where)}${early}.</p>
<div class="verdict plain"><div><strong>${percent(judged.accuracy)} of ${judged.count.toLocaleString("en-US")} ${name} images are right</strong><br>
<span class="soft">${name} loss ${judged.loss.toFixed(4)}; training loss ${result.training.loss.toFixed(4)}, accuracy ${percent(result.training.accuracy)}</span></div></div>
<section>
${figures.map(figureHtml).join("\n")}
</section>
<section>
<h2>Layers</h2>
${layerTable(layers)}
</section>
<section>
<h2>How this was made</h2>
<dl>
${factsHtml({ ...texts(options), seed: `${seed}`, ...versions })}
</dl>
</section>`,
  });
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** Flags as they were given, those that say no left out. */
function texts(options: RunResult["options"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(options).flatMap(([name, value]) =>
      value === undefined || value === false ? [] : [[name, `${value}`]],
    ),
  );
}

function layerTable({ layers, params, macs }: Summary): string {
  const cell = (value: number) => (value === 0 ? "" : value.toLocaleString("en-US"));
  const rows = layers.map(
    (row) =>
      `<tr><td>${escapeHtml(row.name)}</td><td>${row.fn ?? row.op}</td><td class="number">${row.outputShape.join(" × ")}</td><td class="number">${cell(row.params)}</td><td class="number">${cell(row.macs)}</td></tr>`,
  );
  return `<p>${params.toLocaleString("en-US")} parameters; ${macs.toLocaleString("en-US")} multiply-accumulates for one image.</p>
<div class="scroll"><table>
<thead><tr><th>layer</th><th>op</th><th>output</th><th>parameters</th><th>MACs</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody></table></div>`;
}
