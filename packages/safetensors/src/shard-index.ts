import { compareCodePoints } from "./compare-code-points.js";
import { describe, kindOf } from "./describe.js";
import { JsonScanner } from "./json-scanner.js";
import { SafetensorsError } from "./safetensors-error.js";
import { MAX_HEADER_LENGTH } from "./safetensors-header.js";

/** What a `model.safetensors.index.json` says. */
export interface ShardIndex {
  /** The file of each tensor: `weight_map`. */
  readonly weightMap: ReadonlyMap<string, string>;
  /** The bytes of all tensors together (`metadata.total_size`), if the index says it. It is not checked. */
  readonly totalSize?: number;
}

/**
 * Reads the index of a sharded checkpoint. A file must be a plain name that ends in `.safetensors`, so that a hostile
 * index cannot lead a caller out of the folder. Keys other than `weight_map` and `metadata.total_size` are skipped.
 *
 * @param json The text of `model.safetensors.index.json`, or its UTF-8 bytes; at most 100 MB.
 * @throws {SafetensorsError} when the index is not valid.
 * @throws {TypeError} when `json` is neither a string nor a `Uint8Array`.
 * @see https://huggingface.co/docs/huggingface_hub/package_reference/serialization
 */
export function parseShardIndex(json: string | Uint8Array): ShardIndex {
  const scanner = new JsonScanner("parseShardIndex", "the index", indexText(json));
  let weightMap: Map<string, string> | undefined;
  let totalSize: number | undefined;
  scanner.object("the index", (key) => {
    if (key === "weight_map") {
      const map = new Map<string, string>();
      scanner.object(key, (name) => {
        const subject = () => `weight_map ${describe(name)}`;
        const file = scanner.string(subject);
        if (!isShardName(file)) scanner.fail(subject, SHARD_NAME, describe(file));
        map.set(name, file);
      });
      weightMap = map;
    } else if (key === "metadata") {
      scanner.object(key, (name) => {
        const value = scanner.value(`metadata ${describe(name)}`);
        if (name !== "total_size") return;
        // Some writers spell it 1.0e9, so that it is read as any number that is whole.
        if (!Number.isSafeInteger(value) || (value as number) < 0) {
          scanner.fail("metadata: total_size", "an integer from 0 to 2^53 - 1", describe(value));
        }
        totalSize = value as number;
      });
    } else {
      scanner.value(`the index ${describe(key)}`);
    }
  });
  scanner.end();
  if (weightMap === undefined) return scanner.fail("the index", "the key weight_map", "none");
  return totalSize === undefined ? { weightMap } : { weightMap, totalSize };
}

/** The text of an index, as the reference tools write it: two spaces deep, sorted by name, with a final newline. */
export function formatShardIndex({ weightMap, totalSize }: ShardIndex): string {
  const names = [...weightMap.keys()].sort(compareCodePoints);
  const lines = names.map((name) => `    ${JSON.stringify(name)}: ${JSON.stringify(weightMap.get(name))}`);
  const map = lines.length > 0 ? `{\n${lines.join(",\n")}\n  }` : "{}";
  const metadata = totalSize === undefined ? "{}" : `{\n    "total_size": ${totalSize}\n  }`;
  return `{\n  "metadata": ${metadata},\n  "weight_map": ${map}\n}\n`;
}

export const SHARD_NAME = "a plain file name that ends in .safetensors";

/** True for a name without folder, drive or control character: safe to append to a folder. */
export function isShardName(file: string): boolean {
  return /^[^/\\:\p{Cc}]+\.safetensors$/u.test(file);
}

function indexText(json: string | Uint8Array): string {
  const isText = typeof json === "string";
  if (!isText && kindOf(json) !== "Uint8Array") {
    throw new TypeError(`parseShardIndex: json: expected a string or a Uint8Array, got ${describe(json)}`);
  }
  if (json.length > MAX_HEADER_LENGTH) {
    throw new SafetensorsError(
      `parseShardIndex: the index: expected at most ${MAX_HEADER_LENGTH} bytes, got ${json.length}`,
    );
  }
  if (isText) return json;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(json);
  } catch {
    throw new SafetensorsError("parseShardIndex: the index: expected UTF-8, got bytes that are not");
  }
}
