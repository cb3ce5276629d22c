import type { Plane } from "@gradlab/classic-cnns/by-hand";
import type { Picture } from "@gradlab/studies";

/** Numbers as greys, 0 black and 1 white. */
export function greyPicture(rows: Plane): Picture {
  const [height, width] = [rows.length, rows[0]!.length];
  const data = new Uint8ClampedArray(3 * width * height);
  for (const [i, value] of rows.flat().entries()) data.fill(255 * value, 3 * i, 3 * i + 3);
  return { width, height, data: new Uint8Array(data.buffer) };
}

/** Numbers of both signs as greys: 0 in the middle; all but the strongest hundredth between black and white. */
export function signedPicture(rows: Plane): Picture {
  const white = strongest(rows);
  return greyPicture(rows.map((row) => row.map((value) => 0.5 + (0.5 * value) / white)));
}

/** Numbers from 0 up as greys: 0 black; all but the strongest hundredth below white. */
export function strengthPicture(rows: Plane): Picture {
  const white = strongest(rows);
  return greyPicture(rows.map((row) => row.map((value) => value / white)));
}

/** The size that 99 of 100 numbers stay below. */
function strongest(rows: Plane): number {
  const strengths = rows.flat().map(Math.abs);
  strengths.sort((a, b) => a - b);
  return strengths[Math.floor(0.99 * (strengths.length - 1))]! || 1;
}
