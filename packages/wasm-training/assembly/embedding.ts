/** Rows of a table by their ids, and the gradient of the table. An id out of range touches no memory. */

// @ts-expect-error: a decorator of AssemblyScript
@unmanaged
class Embedding {
  /** Rows of the table, numbers of a row, how many ids there are. */
  n: i32;
  d: i32;
  count: i32;
  rowsOfTask: i32;
  table: usize;
  ids: usize;
  rows: usize;
}

/** A task copies some of the rows asked for. */
export function embedTask(at: usize, task: i32): void {
  const p = changetype<Embedding>(at);
  const bytes = <usize>p.d << 2, end = min(p.count, (task + 1) * p.rowsOfTask);
  for (let i = task * p.rowsOfTask; i < end; i++) {
    const id = load<i32>(p.ids + (<usize>i << 2)), to = p.rows + <usize>i * bytes;
    if (<u32>id < <u32>p.n) memory.copy(to, p.table + <usize>id * bytes, bytes);
    else for (let x: usize = 0; x < bytes; x += 4) store<f32>(to + x, NaN);
  }
}

/** A task adds up some rows of the table's gradient, in the order of the ids. */
export function embedGradientTask(at: usize, task: i32): void {
  const p = changetype<Embedding>(at);
  const begin = task * p.rowsOfTask, rows = min(p.n - begin, p.rowsOfTask);
  const bytes = <usize>p.d << 2, table = p.table + <usize>begin * bytes;
  memory.fill(table, 0, <usize>rows * bytes);
  for (let i = 0; i < p.count; i++) {
    const row = load<i32>(p.ids + (<usize>i << 2)) - begin;
    if (<u32>row >= <u32>rows) continue;
    const from = p.rows + <usize>i * bytes, to = table + <usize>row * bytes;
    let x: usize = 0;
    for (; x + 16 <= bytes; x += 16) v128.store(to + x, f32x4.add(v128.load(to + x), v128.load(from + x)));
    for (; x < bytes; x += 4) store<f32>(to + x, load<f32>(to + x) + load<f32>(from + x));
  }
}
