import { signs } from "../byte-pairs.js";
import type { Dictionary } from "./dictionary.js";

/**
 * Byte pairs that are learned from the words of a text: the bytes, and then again and again the pair of neighbours that
 * comes most often (of equally frequent ones that of the lower ids) as a token of its own.
 *
 * @param words As `bytePairs` cuts them, each with how often it comes.
 * @param vocabulary How many tokens there are to be, at least 256; there are fewer where no pair comes twice.
 * @see Sennrich, Haddow, Birch 2016, §3.2, https://arxiv.org/abs/1508.07909
 */
export function learnBytePairs(words: ReadonlyMap<string, number>, vocabulary: number): Dictionary {
  const tokens = [...signs].sort();
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const encoder = new TextEncoder();
  const byteIds = signs.map((sign) => ids.get(sign)!);
  const parts = Array.from(words.keys(), (word) =>
    Array.from(encoder.encode(word), (byte) => byteIds[byte]!),
  );
  const counts = [...words.values()];
  const pairs = new PairCounts();
  for (const [word, ids] of parts.entries()) pairs.add(ids, counts[word]!, word);
  const merges: string[] = [];
  while (tokens.length < vocabulary) {
    const best = pairs.mostFrequent();
    if (best === null) break;
    const [left, right] = [tokens[best.left]!, tokens[best.right]!];
    const token = left + right;
    // Another pair may have made the same token.
    let id = ids.get(token);
    if (id === undefined) {
      id = tokens.length;
      tokens.push(token);
      ids.set(token, id);
    }
    merges.push(`${left} ${right}`);
    for (const word of best.words) {
      const [before, count] = [parts[word]!, counts[word]!];
      const after = joined(before, best.left, best.right, id);
      pairs.add(before, -count, word);
      pairs.add(after, count, word);
      parts[word] = after;
    }
  }
  return { level: "byte-pairs", tokens, merges };
}

/** A pair made one wherever it stands, from the left. */
function joined(ids: readonly number[], left: number, right: number, id: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === left && ids[i + 1] === right) {
      found.push(id);
      i++;
    } else found.push(ids[i]!);
  }
  return found;
}

interface Pair {
  count: number;
  readonly words: Set<number>;
  /** The count under which it stands in the heap, at least its own; 0 where it does not stand there. */
  listed: number;
}

/** How often each pair of neighbours comes, and in which words. */
class PairCounts {
  private readonly pairs = new Map<number, Pair>();
  /** Those that may come more often than the heap knows. */
  private readonly grown = new Set<number>();
  /** A heap of what counts were, the largest first; those that have fallen since are put right when they come up. */
  private readonly heap: { readonly count: number; readonly key: number }[] = [];

  /** Counts the pairs of a word; with a negative count takes them away. */
  add(ids: readonly number[], count: number, word: number): void {
    for (let i = 0; i + 1 < ids.length; i++) {
      const key = ids[i]! * idLimit + ids[i + 1]!;
      let pair = this.pairs.get(key);
      if (pair === undefined) {
        pair = { count: 0, words: new Set(), listed: 0 };
        this.pairs.set(key, pair);
      }
      pair.count += count;
      if (count < 0) pair.words.delete(word);
      else {
        pair.words.add(word);
        if (pair.count > pair.listed) this.grown.add(key);
      }
    }
  }

  /** The pair that comes most often, with the words that have it; null where none comes twice. */
  mostFrequent(): { left: number; right: number; words: readonly number[] } | null {
    for (const key of this.grown) this.list(key);
    this.grown.clear();
    for (let top = this.pop(); top !== undefined; top = this.pop()) {
      const { key } = top;
      const pair = this.pairs.get(key)!;
      if (pair.listed !== top.count) continue; // it stands there under a larger count too, or has come up
      pair.listed = 0;
      if (pair.count === top.count) {
        return { left: Math.floor(key / idLimit), right: key % idLimit, words: [...pair.words] };
      }
      this.list(key);
    }
    return null;
  }

  private list(key: number): void {
    const pair = this.pairs.get(key)!;
    if (pair.count < 2 || pair.count <= pair.listed) return;
    pair.listed = pair.count;
    this.push({ count: pair.count, key });
  }

  private comesFirst(i: number, j: number): boolean {
    const [a, b] = [this.heap[i]!, this.heap[j]!];
    return a.count > b.count || (a.count === b.count && a.key < b.key);
  }

  private push(entry: { readonly count: number; readonly key: number }): void {
    const { heap } = this;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.comesFirst(at, above)) return;
      [heap[at], heap[above]] = [heap[above]!, heap[at]!];
      at = above;
    }
  }

  private pop(): { readonly count: number; readonly key: number } | undefined {
    const { heap } = this;
    const top = heap[0];
    const last = heap.pop();
    if (heap.length === 0) return top;
    heap[0] = last!;
    for (let at = 0; ; ) {
      let first = at;
      for (const below of [2 * at + 1, 2 * at + 2]) {
        if (below < heap.length && this.comesFirst(below, first)) first = below;
      }
      if (first === at) return top;
      [heap[at], heap[first]] = [heap[first]!, heap[at]!];
      at = first;
    }
  }
}

/** Ids are below it, so that a pair of them is one number. */
const idLimit = 2 ** 26;
