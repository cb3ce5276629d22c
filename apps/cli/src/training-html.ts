import { escapeHtml, factsHtml, figureHtml, page } from "@gradlab/experiments";
import {
  describeBackend,
  duration,
  type Figure,
  percent,
  recordJson,
  type TrainCnnRecord,
} from "@gradlab/studies";
import type { Envelope } from "./envelope.js";

/** A training as one file: what came of it, its figures, its layers, and what it was made with. */
export function trainingHtml(around: Envelope, record: TrainCnnRecord, figures: readonly Figure[]): string {
  const result = { ...around, ...record };
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
    data: { ...around, ...recordJson(record) },
    main: `<h1>${escapeHtml(network.name)}, trained</h1>
<p class="soft">${data.train.toLocaleString("en-US")} images of ${data.classes} classes from ${escapeHtml(data.source)}, ${epochs.length} epochs, ${steps} steps, ${duration(seconds)}${escapeHtml(where)}${early}.</p>
<div class="verdict plain"><div><strong>${percent(judged.accuracy)} of ${judged.count.toLocaleString("en-US")} ${name} images are right</strong><br>
<span class="soft">${name} loss ${judged.loss.toFixed(4)}; training loss ${result.training.loss.toFixed(4)}, accuracy ${percent(result.training.accuracy)}</span></div></div>
<section>
${figures.map(figureHtml).join("\n")}
</section>
<section>
<h2>Layers</h2>
<div class="scroll"><pre>${escapeHtml(record.beside.layers)}</pre></div>
</section>
<section>
<h2>How this was made</h2>
<dl>
${factsHtml({ ...texts(options), seed: `${seed}`, ...versions })}
</dl>
</section>`,
  });
}

/** Flags as they were given, those that say no left out. */
function texts(options: Envelope["options"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(options).flatMap(([name, value]) =>
      value === undefined || value === false ? [] : [[name, `${value}`]],
    ),
  );
}
