import { type FormField, type InputOption, isInput, type Study } from "@gradlab/studies";
import { html, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { type Filled, fieldsOf } from "./fields.js";
import { givenFiles } from "./given-files.js";
import { pageWords } from "./page-words.js";
import type { GivenFiles } from "./worker/messages.js";

interface Hands {
  /** What runs have kept, by study and name. */
  readonly kept: ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>;
  readonly type: (option: string, text: string) => void;
  readonly give: (option: string, files: GivenFiles | null) => void;
  /** Options that few need; the others stand above them. */
  readonly aside: ReadonlySet<string>;
}

/** The form of a study, made from its declaration; an error stands beside its field. */
export function formView(
  study: Study,
  filled: Filled,
  errors: Readonly<Record<string, string>>,
  hands: Hands,
): TemplateResult {
  const fields = fieldsOf(study.options).filter(({ option: name }) => {
    const option = study.options[name]!;
    // Where a page keeps files is the page's own affair.
    return !(isInput(option) && option.kept);
  });
  const view = (some: readonly FormField[]) => fieldsView(study, some, filled, errors, hands);
  const aside = fields.filter(({ option }) => hands.aside.has(option));
  return html`${view(fields.filter((field) => !aside.includes(field)))}
  ${
    aside.length === 0
      ? ""
      : html`<details class="aside" ?open=${aside.some(({ option }) => errors[option] !== undefined)}>
          <summary>More settings: ${aside.map(({ label }) => label).join(", ")}</summary>
          ${view(aside)}
        </details>`
  }`;
}

function fieldsView(
  study: Study,
  fields: readonly FormField[],
  filled: Filled,
  errors: Readonly<Record<string, string>>,
  hands: Hands,
): TemplateResult {
  return html`<div class="fields">
    ${fields.map((field) => {
      const option = study.options[field.option]!;
      const error = errors[field.option];
      const control = isInput(option)
        ? filesControl(field, option, filled.files[field.option], hands)
        : valueControl(field, filled.texts[field.option] ?? "", error !== undefined, hands);
      return html`<div class=${field.control === "checkbox" ? "field tick" : "field"}>
        <label for=${idOf(field)}>${field.label}${field.unit === undefined || field.unit === field.label ? "" : ` (${field.unit})`}</label>
        ${control}
        <p class="help" id=${`${idOf(field)}-help`}>${pageWords(field.help)}</p>
        ${error === undefined ? "" : html`<p class="error" id=${`${idOf(field)}-error`}>${error}</p>`}
      </div>`;
    })}
  </div>`;
}

const idOf = ({ option }: FormField) => `field-${option}`;

function valueControl(field: FormField, text: string, isWrong: boolean, { type }: Hands): TemplateResult {
  const { option, control, choices } = field;
  const id = idOf(field);
  const described = isWrong ? `${id}-help ${id}-error` : `${id}-help`;
  const typed = (event: Event) => type(option, (event.target as HTMLInputElement).value);
  if (control === "select") {
    return html`<select id=${id} aria-describedby=${described} @change=${typed}>
      ${field.value === undefined ? html`<option value="" ?selected=${text === ""}>–</option>` : ""}
      ${choices!.map((choice) => html`<option value=${choice} ?selected=${choice === text}>${choice}</option>`)}
    </select>`;
  }
  if (control === "checkbox") {
    return html`<input
      id=${id}
      type="checkbox"
      aria-describedby=${described}
      .checked=${live(text === "true")}
      @change=${(event: Event) => type(option, `${(event.target as HTMLInputElement).checked}`)}
    />`;
  }
  return html`<input
    id=${id}
    type="text"
    inputmode=${control === "number" ? "decimal" : "text"}
    autocomplete="off"
    spellcheck="false"
    aria-describedby=${described}
    aria-invalid=${isWrong ? "true" : "false"}
    .value=${live(text)}
    @input=${typed}
  />`;
}

function filesControl(
  field: FormField,
  option: InputOption,
  given: GivenFiles | undefined,
  { kept, give }: Hands,
): TemplateResult {
  const id = idOf(field);
  const take = (files: readonly File[]) => {
    if (files.length > 0) give(field.option, givenFiles(option, files));
  };
  const keptFiles = [...kept].flatMap(([study, files]) =>
    [...files].map(([name, bytes]) => ({ label: `${study}/${name}`, name, bytes })),
  );
  const choose = html`<select
    aria-label=${`${field.label}: of this page`}
    @change=${(event: Event) => {
      const { value } = event.target as HTMLSelectElement;
      const found = keptFiles.find(({ label }) => label === value);
      give(
        field.option,
        found === undefined
          ? null
          : { label: found.name, names: [found.name], files: [[found.name, found.bytes]] },
      );
    }}
  >
    <option value="">of this page …</option>
    ${keptFiles.map(({ label }) => html`<option value=${label}>${label}</option>`)}
  </select>`;
  return html`<div
    class="drop"
    @dragover=${(event: DragEvent) => event.preventDefault()}
    @drop=${(event: DragEvent) => {
      event.preventDefault();
      take([...(event.dataTransfer?.files ?? [])]);
    }}
    @paste=${(event: ClipboardEvent) => take([...(event.clipboardData?.files ?? [])])}
  >
    <input
      id=${id}
      type="file"
      aria-describedby=${`${id}-help`}
      ?multiple=${field.multiple ?? false}
      ?webkitdirectory=${option.kind === "folder"}
      @change=${(event: Event) => take([...((event.target as HTMLInputElement).files ?? [])])}
    />
    ${option.kind === "file" && keptFiles.length > 0 ? choose : ""}
    ${
      given === undefined
        ? html`<span class="hint">or drop or paste</span>`
        : html`<span class="given">${given.label}${given.names.length > 1 ? ` and ${given.names.length - 1} more` : ""}</span>
            <button type="button" @click=${() => give(field.option, null)}>Remove</button>`
    }
  </div>`;
}
