import type { Reproduced } from "../reproduce.js";
import { escapeHtml } from "./page.js";

/** A question of a course, where its answer is computed, and what to try oneself. */
export interface CourseQuestion {
  readonly question: string;
  /** The id of an experiment. */
  readonly experiment: string;
  /** A command line to go on with, without the name of the program. */
  readonly command?: string;
}

export interface CourseChapter {
  readonly title: string;
  readonly questions: readonly CourseQuestion[];
}

const q = (question: string, experiment: string, command?: string): CourseQuestion =>
  command === undefined ? { question, experiment } : { question, experiment, command };

/** What a course asks, in its order. */
export const courseIndex: readonly CourseChapter[] = [
  {
    title: "One neuron",
    questions: [
      q("Does LMS find the weights of least squares?", "lms/course-data", "lms"),
      q("How large a step can LMS take?", "lms/step-sizes", "lms --sweep 0.005,0.01,0.05,0.5,0.7,1"),
      q("What do steps along one row, ten or all look like?", "lms/course-data"),
      q("Which gates does one neuron compute?", "lms/gates", "gates --inputs 3"),
      q("What does a neuron of given weights compute?", "lms/gates", "gates --weights 0.5,-0.5,-0.5"),
      q("Why does XOR need a second layer?", "lms/gates", "gates --gate xor"),
      q("Why do many coefficients fit the data and miss the curve?", "lms/overfitting"),
    ],
  },
  {
    title: "Gradients",
    questions: [
      q("What is the gradient of two layers, by hand?", "lms/backprop", "backprop-check"),
      q("Is every op's gradient right on this backend?", "core/gradients", "doctor"),
      q("Why does a unit with a sign not learn?", "lms/sign-units"),
      q("How are weights and gradients spread before anything is learned?", "classic-cnns/at-start"),
      q("What do zero weights keep from learning?", "classic-cnns/zero-weights"),
    ],
  },
  {
    title: "Convolution",
    questions: [
      q("What does a convolution compute?", "classic-cnns/filter-by-hand"),
      q("What happens at borders, and what do pools do?", "classic-cnns/borders-and-pools"),
      q("What lies between average and maximum, and what do windows cost?", "classic-cnns/pools"),
      q("Which kernels blur, and which find edges?", "classic-cnns/kernels"),
      q("Can a kernel be learned from pictures before and after?", "classic-cnns/learned-kernel"),
      q("Which matrix is a convolution?", "classic-cnns/convolution-matrix"),
      q("Does a convolution commute with shifts, and what breaks it?", "classic-cnns/shifts"),
      q("What does a stride do to high frequencies?", "classic-cnns/chirp"),
      q("How does a convolution read text?", "classic-cnns/n-grams"),
    ],
  },
  {
    title: "Networks",
    questions: [
      q(
        "How far does a unit see?",
        "receptive-field/alexnet-227",
        "receptive-field --net alexnet-227 --input 227 --origin one",
      ),
      q("What do the published networks see?", "receptive-field/published", "receptive-field --net vgg16"),
      q("What if branches do not line up?", "receptive-field/branches"),
      q(
        "How much of its field does a unit use?",
        "receptive-field/effective-field",
        "receptive-field --net vgg16 --input 224 --layer pool5 --unit 3,3 --measure",
      ),
      q("How many weights and operations has a network?", "classic-cnns/tables", "summary --net resnet18"),
      q(
        "What do other kernels and more layers change?",
        "classic-cnns/tables",
        'train-cnn --spec "conv1 3 p1 f6, relu, pool1 2/2, conv2 3 f16, relu, pool2 2/2, flatten, dense 84, relu, dense" --out run',
      ),
      q(
        "Do these networks compute what others' compute?",
        "classic-cnns/torchvision-logits",
        "classify --net alexnet --weights alexnet.pth --labels imagenet.txt photo.jpg",
      ),
      q("How does LeNet learn?", "classic-cnns/lenet-training", "train-cnn --net lenet-relu --out run"),
      q(
        "Sigmoids or ReLUs, deep or shallow: who learns faster?",
        "classic-cnns/learning",
        "train-cnn --net resnet18 --input 32 --width 4,8,16,16 --out run",
      ),
      q(
        "What becomes of a prediction where the photograph is prepared otherwise?",
        "classic-cnns/photographs",
        "classify --model model.json --preprocess symmetric --bgr photo.jpg",
      ),
      q("What does it cost to cut a gradient in time?", "rnn-lm/truncation"),
      q(
        "Can a network be made to see what is not there?",
        "attacks/targets",
        "attack --weights run --attack pgd --eps 0.1 --out adversarial",
      ),
      q(
        "What of that is left in a JPEG file of a photograph?",
        "attacks/photographs",
        "attack --model model.json photo.jpg --attack pixel-optimization --targeted --target 15",
      ),
      q("How good can a language model be?", "rnn-lm/sentences", "train-lm --lr 0.01 --checkpoint run"),
    ],
  },
  {
    title: "Attention",
    questions: [
      q("Does attention know the order of its tokens?", "attention/permutations", "attention-check"),
      q("What breaks its symmetry?", "attention/permutations", "attention-check --position sinusoidal"),
      q("Are dense layers for every token convolutions?", "attention/feed-forward"),
    ],
  },
  {
    title: "Claims that stand in lecture notes",
    questions: [
      q("Is max(a, b) = ½ (a + b + ReLU(a − b))? How many taps has a derivative?", "claims/kernels"),
      q("Do gradients explode where an eigenvalue is above 1?", "claims/elman-jacobian"),
      q("Is LMS stable up to 2/λmax? Does least squares solve every gate of one neuron?", "claims/lms"),
      q("What does a softmax too many do to a loss?", "claims/cross-entropy"),
    ],
  },
];

/** The questions whose experiments have run, as a section of the report; nothing where there are none. */
export function courseSection(shown: readonly Reproduced[], anchor: (id: string) => string): string {
  const ran = new Set(shown.map(({ result }) => result.id));
  const chapters = courseIndex.flatMap(({ title, questions }) => {
    const answered = questions.filter(({ experiment }) => ran.has(experiment));
    return answered.length === 0 ? [] : [{ title, answered }];
  });
  if (chapters.length === 0) return "";
  return `<section id="course">
<header><h2>Questions of a course</h2></header>
<p>Where each is answered above, and the command to go on with.</p>
<div class="scroll"><table>
<thead><tr><th>question</th><th>experiment</th><th>command</th></tr></thead>
<tbody>
${chapters
  .map(({ title, answered }) =>
    [
      `<tr><th colspan="3" scope="rowgroup">${escapeHtml(title)}</th></tr>`,
      ...answered.map(
        ({ question, experiment, command }) =>
          `<tr><td>${escapeHtml(question)}</td><td><a href="#${anchor(experiment)}">${escapeHtml(experiment)}</a></td><td>${command === undefined ? "" : `<code>gradlab ${escapeHtml(command)}</code>`}</td></tr>`,
      ),
    ].join("\n"),
  )
  .join("\n")}
</tbody></table></div>
</section>`;
}

/** The same as a page of the documents. */
export function courseMarkdown(): string {
  const chapters = courseIndex.map(({ title, questions }) => {
    const rows = [
      ["question", "experiment", "command to go on with"],
      ...questions.map(({ question, experiment, command }) => [
        question,
        `\`${experiment}\``,
        command === undefined ? "" : `\`gradlab ${command}\``,
      ]),
    ];
    const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
    const line = (row: readonly string[]) =>
      `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
    const [head, ...body] = rows.map(line);
    const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
    return `\n## ${title}\n\n${[head, rule, ...body].join("\n")}`;
  });
  return `# Questions of a course

Where each is answered. \`gradlab reproduce --only <experiment>\` computes the answer again, compares it with what is known and draws it into a report; without \`--only\` it does so for all. This page is written by the tests from \`packages/experiments/src/report/course-index.ts\`, as is the last section of the report.
${chapters.join("\n")}
`;
}
