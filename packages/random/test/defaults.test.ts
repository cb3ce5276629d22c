import { expect, test } from "vitest";
import {
  fillNormal,
  fillUniform,
  normal,
  normalFloat32,
  randomStream,
  type StreamState,
  uint32,
  uniform,
  uniformFloat32,
} from "../src/index.js";

const stream = (options: Partial<StreamState> = {}) =>
  randomStream({ seed: 5, purpose: "defaults", ...options });

test("a stream starts at index 0 and position 0, and each of the four decides its words", () => {
  const words = (options: Partial<StreamState>) => {
    const s = stream(options);
    return [uint32(s), uint32(s), uint32(s), uint32(s), uint32(s)];
  };
  expect(words({ index: 0, position: 0 })).toEqual(words({}));
  for (const other of [{ seed: 6 }, { purpose: "default" }, { index: 1 }, { position: 1 }]) {
    expect(words(other), JSON.stringify(other)).not.toEqual(words({}));
  }
});

test.each<[string, (...bounds: number[]) => unknown, number[]]>([
  ["uniform", (...bounds) => uniform(stream(), ...bounds), [0, 1]],
  ["uniformFloat32", (...bounds) => uniformFloat32(stream(), ...bounds), [0, 1]],
  ["normal", (...bounds) => normal(stream(), ...bounds), [0, 1]],
  ["normalFloat32", (...bounds) => normalFloat32(stream(), ...bounds), [0, 1]],
  ["fillUniform", (...bounds) => fillUniform(stream(), new Float64Array(3), ...bounds), [0, 1]],
  ["fillUniform, float32", (...bounds) => fillUniform(stream(), new Float32Array(3), ...bounds), [0, 1]],
  ["fillNormal", (...bounds) => fillNormal(stream(), new Float64Array(3), ...bounds), [0, 1]],
  ["fillNormal, float32", (...bounds) => fillNormal(stream(), new Float32Array(3), ...bounds), [0, 1]],
])("%s: without bounds they are 0 and 1, and each counts", (_, draw, [first, second]) => {
  expect(draw(first!, second!)).toEqual(draw());
  expect(draw(first!)).toEqual(draw());
  expect(draw(first! - 0.5, second!)).not.toEqual(draw());
  expect(draw(first!, second! + 0.5)).not.toEqual(draw());
});
