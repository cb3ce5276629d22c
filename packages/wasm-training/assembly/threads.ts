/**
 * How threads share the tasks of a job: all take the next number of a counter
 * until none is left. Worker threads spin for a while when there is nothing to
 * do and then sleep, so that an idle pool costs nothing.
 *
 * A worker that is late, or gone, holds nobody up: the caller closes the job when the
 * counter has run out and waits only for those that have joined it.
 */
import { runTask } from "./jobs";

// @ts-expect-error: a decorator of AssemblyScript
@unmanaged
class Control {
  /** Counts the jobs; workers wait for it to change. */
  epoch: i32;
  /** Whether the job may still be joined. */
  open: i32;
  job: i32;
  at: usize;
  tasks: i32;
  /** The next task. */
  next: i32;
  /** Workers in the job, workers asleep, workers that have begun to listen. */
  active: i32;
  asleep: i32;
  listening: i32;
  stopped: i32;
  /** Tasks that workers have done. */
  helped: i32;
  /** Scratch memory of thread 0, and the bytes from thread to thread. */
  scratch: usize;
  scratchBytes: usize;
}

const EPOCH = offsetof<Control>("epoch");
const OPEN = offsetof<Control>("open");
const NEXT = offsetof<Control>("next");
const ACTIVE = offsetof<Control>("active");
const ASLEEP = offsetof<Control>("asleep");
const LISTENING = offsetof<Control>("listening");
const STOPPED = offsetof<Control>("stopped");
const HELPED = offsetof<Control>("helped");

/** Rounds of waiting for the last workers before this thread sleeps: some microseconds. */
const SPINS = 4000;

function takeTasks(control: usize, thread: i32): void {
  const c = changetype<Control>(control);
  const scratch = c.scratch + <usize>thread * c.scratchBytes;
  for (;;) {
    const task = atomic.add<i32>(control + NEXT, 1);
    if (task >= c.tasks) return;
    runTask(c.job, c.at, task, scratch);
    if (thread > 0) atomic.add<i32>(control + HELPED, 1);
  }
}

/** All tasks of a job on this thread. */
export function runAlone(job: i32, at: usize, tasks: i32, scratch: usize): void {
  for (let task = 0; task < tasks; task++) runTask(job, at, task, scratch);
}

/**
 * All tasks of a job on this thread and those that listen. The result is false when a worker that had joined did
 * not end within `patience` rounds: it is gone, and the job must be run again, alone. `mayWait`: whether this thread may
 * sleep, which the main one of a page may not.
 */
export function runTogether(
  control: usize,
  job: i32,
  at: usize,
  tasks: i32,
  scratch: usize,
  scratchBytes: usize,
  patience: i64,
  mayWait: bool,
): bool {
  const c = changetype<Control>(control);
  c.job = job;
  c.at = at;
  c.tasks = tasks;
  c.scratch = scratch;
  c.scratchBytes = scratchBytes;
  atomic.store<i32>(control + NEXT, 0);
  atomic.store<i32>(control + OPEN, 1);
  atomic.add<i32>(control + EPOCH, 1);
  if (atomic.load<i32>(control + ASLEEP) > 0) atomic.notify(control + EPOCH, -1);
  takeTasks(control, 0);
  atomic.store<i32>(control + OPEN, 0);
  let spins = SPINS, active = atomic.load<i32>(control + ACTIVE);
  while (active != 0) {
    if (--patience < 0) return false;
    // A worker that has lost its core gets this one.
    if (mayWait && --spins < 0) {
      atomic.wait<i32>(control + ACTIVE, active, 1_000_000);
      patience -= 400_000;
    }
    active = atomic.load<i32>(control + ACTIVE);
  }
  return true;
}

/** What worker number `thread` (from 1) does until `stop` is called. */
export function listen(control: usize, thread: i32, spins: i32): void {
  atomic.add<i32>(control + LISTENING, 1);
  let seen = atomic.load<i32>(control + EPOCH);
  for (;;) {
    let left = spins;
    while (atomic.load<i32>(control + EPOCH) == seen && left > 0) left--;
    while (atomic.load<i32>(control + EPOCH) == seen) {
      atomic.add<i32>(control + ASLEEP, 1);
      atomic.wait<i32>(control + EPOCH, seen, -1);
      atomic.sub<i32>(control + ASLEEP, 1);
    }
    seen = atomic.load<i32>(control + EPOCH);
    if (atomic.load<i32>(control + STOPPED) != 0) break;
    atomic.add<i32>(control + ACTIVE, 1);
    if (atomic.load<i32>(control + OPEN) != 0) takeTasks(control, thread);
    if (atomic.sub<i32>(control + ACTIVE, 1) == 1) atomic.notify(control + ACTIVE, 1);
  }
  atomic.sub<i32>(control + LISTENING, 1);
}

/** How many tasks workers have done. */
export function helped(control: usize): i32 {
  return atomic.load<i32>(control + HELPED);
}

/** Ends `listen` on every thread. */
export function stop(control: usize): void {
  atomic.store<i32>(control + STOPPED, 1);
  atomic.add<i32>(control + EPOCH, 1);
  atomic.notify(control + EPOCH, -1);
}
