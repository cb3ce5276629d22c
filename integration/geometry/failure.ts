/** What is wrong with a case. */
export interface Failure {
  /** `throws`: an error; `wrong`: other numbers; `leaks`: tensors stay; `breaks`: the backend does not compute any more. */
  readonly kind: "throws" | "wrong" | "leaks" | "breaks";
  readonly detail: string;
}

export const wrong = (detail: string): Failure => ({ kind: "wrong", detail });
