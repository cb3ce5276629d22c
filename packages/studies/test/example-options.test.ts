import { expect, test } from "vitest";
import { exampleOptions, studies } from "../src/index.js";

test("the first example that needs no file says options, beside the defaults", () => {
  const of = (name: string) => exampleOptions(studies.find((study) => study.name === name)!);
  expect(of("gates")).toEqual({ inputs: 3 });
  expect(of("lms")).toMatchObject({ sweep: [0.005, 0.01, 0.05, 0.5, 0.7, 1], algorithm: "lms" });
  // What is kept, and where a result goes, is no file that it needs.
  expect(of("train-lm")).toMatchObject({ cell: "lstm" });
  expect(of("train-cnn")).toMatchObject({ net: "lenet-relu", epochs: 10 });
  expect(of("classify")).toBeNull();
});

test("every example is of its own command", () => {
  for (const study of studies) {
    for (const example of study.examples) expect(example.split(" ")[0]).toBe(study.name);
    expect(() => exampleOptions(study)).not.toThrow();
  }
});
