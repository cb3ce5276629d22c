import "@tensorflow/tfjs-backend-wasm";
import { env, matMul, reshape, setBackend, tensor, tensor2d } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { enableWasmTraining } from "../src/index.js";

test("the same numbers multiply in one shape and then in another", async () => {
  env().set("PROD", true); // no advertisement on the console
  await enableWasmTraining({ companion: false });
  await setBackend("wasm");
  const numbers = tensor([3, 4]);
  const column = matMul(tensor2d([[1, 2]]), reshape(numbers, [2, 1]));
  const row = matMul(tensor2d([[2]]), reshape(numbers, [1, 2]));
  const again = matMul(tensor2d([[5, 6]]), reshape(numbers, [2, 1]));
  expect(Array.from(await column.data())).toEqual([11]);
  expect(Array.from(await row.data())).toEqual([6, 8]);
  expect(Array.from(await again.data())).toEqual([39]);
});
