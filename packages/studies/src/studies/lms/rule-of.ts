import { affineProjection, leakyLms, nlms, type Rule, signLms } from "@gradlab/lms";

export const algorithms = [
  "lms",
  "nlms",
  "sign-error",
  "sign-data",
  "sign-sign",
  "leaky-lms",
  "affine-projection",
  "rls",
] as const;

/** The update rule of an algorithm with a step size. */
export function ruleOf(
  algorithm: Exclude<(typeof algorithms)[number], "lms" | "rls">,
  mu: number,
  { leak, order }: { readonly leak: number; readonly order: number },
): Rule {
  switch (algorithm) {
    case "nlms":
      return nlms({ mu });
    case "leaky-lms":
      return leakyLms({ mu, leak });
    case "affine-projection":
      return affineProjection({ mu, order });
    case "sign-error":
      return signLms({ mu, kind: "error" });
    case "sign-data":
      return signLms({ mu, kind: "data" });
    case "sign-sign":
      return signLms({ mu, kind: "sign-sign" });
  }
}
