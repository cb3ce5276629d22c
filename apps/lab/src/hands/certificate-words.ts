import type { AttackRecord } from "@gradlab/studies";

interface About {
  readonly norm: AttackRecord["norm"];
  readonly epsilon: number | null;
  readonly name: (label: number) => string;
}

/** In plain words, what was checked of an adversarial image. */
export function certificateWords(
  {
    success,
    certificate,
    by,
    label,
    prediction,
    target,
    distances,
    queries,
  }: AttackRecord["samples"][number],
  { norm, epsilon, name }: About,
): string {
  const within = epsilon === null ? "at any distance" : `within ε = ${epsilon}`;
  const asked = `the network was asked ${queries} ${queries === 1 ? "time" : "times"}`;
  if (!success || certificate === null) {
    const aim = target === null ? `anything but ${name(label)}` : name(target);
    return `Nothing was found ${within} that the network takes for ${aim}; ${asked}. That is no proof that there is nothing.`;
  }
  if (by === null) {
    return `The network takes this image for ${name(prediction)} as it is; there was nothing to attack.`;
  }
  const far = Number(distances[norm].toPrecision(3));
  const levels = norm === "linf" ? `, ${Number((255 * distances.linf).toPrecision(3))} of 255 levels` : "";
  const checks = [
    `${within} (${far} in ${norm}${levels})${certificate.inBall ? "" : ", which does not hold"}`,
    certificate.inBounds
      ? "every pixel is still between black and white"
      : "some pixels are outside of black and white",
    certificate.alone
      ? `alone in a batch it is still taken for ${name(prediction)}`
      : "alone in a batch it is seen rightly again",
    certificate.eightBits
      ? "and it stays so when it is saved as a picture of 8 bits"
      : "but it is lost when it is saved as a picture of 8 bits",
  ];
  return `Found ${checks.join("; ")}. To get there, ${asked}.`;
}
