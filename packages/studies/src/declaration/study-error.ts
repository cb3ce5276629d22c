/**
 * Whose it is to mend: the options, what stands in a file, or nobody, because a known value did not come out or the
 * user has stopped it.
 */
export type StudyErrorKind = "usage" | "input" | "check" | "interrupted";

/**
 * A failure that the user can act on. Options stand in its text as `{name}`; an app writes them as it calls them
 * (`withOptionNames`).
 */
export class StudyError extends Error {
  readonly kind: StudyErrorKind;
  readonly text: string;

  constructor(kind: StudyErrorKind, text: string, options?: ErrorOptions) {
    super(
      withOptionNames(text, (name) => name),
      options,
    );
    this.name = "StudyError";
    this.kind = kind;
    this.text = text;
  }
}

/** A text of a study with its options named by an app. */
export function withOptionNames(text: string, nameOf: (option: string) => string): string {
  return text.replaceAll(/\{(\w+)\}/g, (_, option: string) => nameOf(option));
}

/**
 * Runs a step whose errors are the user's to mend. `place` (an option, a file) stands in the message for the function
 * that found the fault.
 */
export function blame<T>(kind: StudyErrorKind, place: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw blamed(kind, place, error);
  }
}

/** An error, with its place in front. */
export function blamed(kind: StudyErrorKind, place: string, error: unknown): StudyError {
  if (error instanceof StudyError) return error;
  const told = messageOf(error).replace(/^[a-zA-Z]+: /, "");
  // An option is the argument that the function has a name of its own for.
  const text = /^\{\w+\}$/.test(place) ? told.replace(/^\w+: (?=expected )/, "") : told;
  return new StudyError(kind, `${place}: ${text}`, { cause: error });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
