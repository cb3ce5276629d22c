import { conv2d } from "@gradlab/classic-cnns/by-hand";
import { linePanels, matrixGrid } from "@gradlab/figures";
import { integer, normal, randomStream } from "@gradlab/random";
import { check } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";

const letters = "abcdefgh";
const words = ["bad", "cafe", "egg"];
const length = 40;
const texts = 240;
const epochs = 60;

/** A convolution reads: one channel per letter, one filter per word. */
export const nGrams = defineExperiment({
  id: "classic-cnns/n-grams",
  title: "A filter that finds a word, written down and learned",
  about:
    "Text as a picture of one row with a channel per letter, 1 where the letter stands. A filter with a 1 for every letter of a word at its place counts the letters " +
    "that are right; less the length of the word plus 1 and through ReLU it answers 1 where the word begins, and 0 elsewhere. Then filters of random weights learn " +
    `from ${texts} random texts only whether a word occurs: the loudest places decide (log Σ exp over all of them), logistic loss, full-batch steps. The largest weight of ` +
    "every column spells the word.",
  async *run({ seed }) {
    const random = randomStream({ seed, purpose: "classic-cnns/n-grams" });
    const text = textWith(random, null) + words.join("") + textWith(random, null) + words[0]!;
    const found = words.map((word) => {
      const filter = [...letters].map((letter) => [[...word].map((one) => +(one === letter))]);
      const sums = conv2d(channels(text), [filter])[0]![0]!;
      return sums.flatMap((sum, at) => (Math.max(0, sum - (word.length - 1)) === 1 ? [at] : []));
    });
    return {
      found,
      known: words.map((word) => placesOf(word, text)),
      learned: words.map((word) => ({ word, ...learn(word, random) })),
    };
  },
  checks: ({ found, known, learned }) => [
    check(`places of ${words.join(", ")} by filters, against those by comparing letters`, known, found),
    ...learned.map(({ word, filter }) =>
      check(
        `the learned filter of “${word}”: largest weight of every column, as number of the letter`,
        [...word].map((letter) => letters.indexOf(letter)),
        columnsOf(filter).map((column) => column.indexOf(Math.max(...column))),
      ),
    ),
    check(
      "texts of a second set that it judges rightly, 97 of 100 or more",
      words.map(() => 1),
      learned.map(({ right }) => +(right >= 0.97)),
    ),
  ],
  figures: ({ learned }, { document }) => [
    {
      svg: matrixGrid(
        learned.map(({ word, filter }) => ({
          label: word,
          rows: filter.map((row) => row.map((weight) => Number(weight.toFixed(1)) + 0)),
        })),
        { document, cell: 40 },
      ),
      caption: `What was learned: a row per letter, ${letters[0]} … ${letters.at(-1)} from the top, a column per place. The largest weights spell the words.`,
    },
    {
      svg: linePanels(
        [
          {
            title: "Loss",
            series: learned.map(({ word, losses }) => ({
              name: word,
              points: losses.map((loss, i) => [i, loss]),
            })),
          },
        ],
        { document, height: 240 },
      ),
      caption: "The logistic loss over all texts by epoch.",
    },
  ],
});

type Stream = ReturnType<typeof randomStream>;

/** Random letters, with a word put somewhere. */
function textWith(random: Stream, word: string | null): string {
  const text = Array.from({ length }, () => letters[integer(random, 0, letters.length)]!);
  if (word !== null) text.splice(integer(random, 0, length - word.length + 1), word.length, ...word);
  return text.join("");
}

const placesOf = (word: string, text: string) =>
  Array.from({ length: text.length - word.length + 1 }, (_, i) => i).filter((i) => text.startsWith(word, i));

/** `[letter][1][place]`. */
const channels = (text: string) => [...letters].map((letter) => [[...text].map((one) => +(one === letter))]);

const columnsOf = (filter: readonly (readonly number[])[]) =>
  filter[0]!.map((_, place) => filter.map((row) => row[place]!));

/** A filter that learns to say whether a word occurs, by Adam. */
function learn(word: string, random: Stream) {
  const width = word.length;
  const set = () =>
    Array.from({ length: texts }, (_, i) => {
      const text = textWith(random, i % 2 === 0 ? word : null);
      return { codes: [...text].map((letter) => letters.indexOf(letter)), label: +text.includes(word) };
    });
  const [train, test] = [set(), set()];
  // The last one is the bias.
  const w = Array.from({ length: letters.length * width + 1 }, () => 0.1 * normal(random));
  const [m, v] = [w.map(() => 0), w.map(() => 0)];
  const judge = (codes: readonly number[]) => {
    const sums = Array.from({ length: codes.length - width + 1 }, (_, at) => {
      let sum = 0;
      for (let p = 0; p < width; p++) sum += w[codes[at + p]! * width + p]!;
      return sum;
    });
    const most = Math.max(...sums);
    const powers = sums.map((sum) => Math.exp(sum - most));
    const total = powers.reduce((a, b) => a + b, 0);
    return { logit: most + Math.log(total) + w.at(-1)!, shares: powers.map((power) => power / total) };
  };
  const losses: number[] = [];
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const gradient = w.map(() => 0);
    let loss = 0;
    for (const { codes, label } of train) {
      const { logit, shares } = judge(codes);
      loss += (Math.max(logit, 0) - label * logit + Math.log1p(Math.exp(-Math.abs(logit)))) / texts;
      const back = (1 / (1 + Math.exp(-logit)) - label) / texts;
      for (const [at, share] of shares.entries()) {
        for (let p = 0; p < width; p++) gradient[codes[at + p]! * width + p]! += back * share;
      }
      gradient[w.length - 1]! += back;
    }
    losses.push(loss);
    for (const [i, g] of gradient.entries()) {
      m[i] = 0.9 * m[i]! + 0.1 * g;
      v[i] = 0.99 * v[i]! + 0.01 * g * g;
      w[i]! -= (0.2 * (m[i]! / (1 - 0.9 ** epoch))) / (Math.sqrt(v[i]! / (1 - 0.99 ** epoch)) + 1e-8);
    }
  }
  return {
    filter: [...letters].map((_, letter) => w.slice(letter * width, (letter + 1) * width)),
    right: test.filter(({ codes, label }) => +(judge(codes).logit > 0) === label).length / texts,
    losses,
  };
}
