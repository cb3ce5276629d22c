import type { GeometryCase } from "./op.js";

const number = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));

/** A case as TypeScript. */
export function pasteable({ inputs, attrs }: GeometryCase): string {
  const texts = inputs.map(
    ({ shape, dtype, values }) =>
      `{ shape: [${shape.join(", ")}], ${dtype ? `dtype: "${dtype}", ` : ""}values: [${values.map(number).join(", ")}] }`,
  );
  return `inputs: [${texts.join(", ")}], attrs: ${JSON.stringify(attrs)}`;
}
