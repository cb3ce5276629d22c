/** Numbers of a block of rows, and how many blocks there are at most. */
const BLOCK = { elements: 32_768, most: 64 };

/** How `[n, width]` is cut into blocks of rows: by the shape alone, for their sums are added up. */
export function blocksOfRows(n: number, width: number): { rowsOfTask: number; tasks: number } {
  const blocks = Math.min(BLOCK.most, Math.ceil((n * width) / BLOCK.elements), n);
  const rowsOfTask = Math.ceil(n / blocks);
  return { rowsOfTask, tasks: Math.ceil(n / rowsOfTask) };
}
