import { readSafetensorsHeader, safetensorsHeaderLength } from "@gradlab/safetensors";
import { listTorchTensors, looksLikeTorch, otherFile } from "@gradlab/torch-files";
import type { InputFiles } from "../declaration/option.js";
import type { Table } from "../declaration/study.js";
import { blame, StudyError } from "../declaration/study-error.js";
import { grouped } from "../declaration/wording.js";

/** A tensor of a file of weights. */
interface ListedTensor {
  /** With the keys that lead to it: `state_dict.conv1.weight`. */
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly elements: number;
}

/** The tensors of a file of weights, of whatever network. */
export interface TensorList {
  readonly format: "torch" | "safetensors";
  readonly tensors: readonly ListedTensor[];
  readonly elements: number;
}

/** Lists the tensors of a file of `torch.save` or safetensors; of the latter the header alone is read. */
export async function listTensors(file: InputFiles): Promise<TensorList> {
  const { label } = file;
  const [name] = file.names;
  const begin = await file.start(name!, 512);
  if (looksLikeTorch(begin)) {
    const bytes = await file.read(name!);
    const listed = blame("input", label, () => listTorchTensors(bytes));
    return listOf(
      "torch",
      listed.map(({ path, dtype, shape }) => ({ name: path.join("."), dtype, shape })),
    );
  }
  if (begin[8] !== 0x7b) {
    const expected = "a file of torch.save or safetensors";
    throw new StudyError("input", `${label}: expected ${expected}, got ${otherFile(begin)}`);
  }
  const length = blame("input", label, () => safetensorsHeaderLength(begin));
  const bytes = await file.start(name!, length);
  const { tensors, raw } = blame("input", label, () => readSafetensorsHeader(bytes));
  return listOf("safetensors", [...tensors.values(), ...raw.values()]);
}

function listOf(format: TensorList["format"], given: readonly Omit<ListedTensor, "elements">[]): TensorList {
  const tensors = given.map(({ name, dtype, shape }) => {
    return { name, dtype, shape, elements: shape.reduce((product, size) => product * size, 1) };
  });
  return { format, tensors, elements: tensors.reduce((sum, { elements }) => sum + elements, 0) };
}

export function tensorTable({
  network,
  tensors,
  elements,
}: TensorList & { readonly network: string }): Table[] {
  const right = "right" as const;
  return [
    {
      title: `${network}: ${grouped(tensors.length)} tensors`,
      columns: [
        { title: "tensor", shrinks: true },
        { title: "dtype" },
        { title: "shape", align: right },
        { title: "elements", align: right },
      ],
      rows: tensors.map((tensor) => [
        tensor.name,
        tensor.dtype,
        tensor.shape.join(" x "),
        grouped(tensor.elements),
      ]),
      notes: ["", `${grouped(elements)} elements`],
    },
  ];
}

export function tensorsCsv({ tensors }: TensorList): string {
  const cell = (value: string) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const rows = tensors.map(({ name, dtype, shape, elements }) =>
    [cell(name), dtype, shape.join("x"), elements].join(","),
  );
  return `${["tensor,dtype,shape,elements", ...rows].join("\n")}\n`;
}
