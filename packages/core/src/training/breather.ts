import { util } from "@tensorflow/tfjs-core";

/** How long a loop may hold the event loop, in milliseconds: an abort is to be heard within 50. */
const HOLD = 20;

/**
 * Lets a long loop give way to the event loop: `const breathe = breather()` before it, `await breathe()` in each turn.
 *
 * What a backend computes at once (wasm, cpu) settles as a microtask, so that a loop that awaits nothing else lets no
 * timer, message or abort in. `breathe` waits for a macrotask when the last one is 20 ms ago, and costs nothing in
 * between. (A macrotask of `setImmediate` or of a `MessageChannel`, which unlike timers and animation frames run at
 * once and in hidden tabs too.)
 */
export function breather(): () => Promise<void> {
  let last = util.now();
  return async () => {
    if (util.now() - last < HOLD) return;
    await macrotask();
    last = util.now();
  };
}

/** Waits until the event loop has been round. */
function macrotask(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else post(resolve);
  });
}

let waiting: (() => void)[] = [];
let port: { postMessage(message: null): void } | undefined;

function post(resolve: () => void): void {
  if (port === undefined) {
    const channel = new MessageChannel();
    // Node's types, which know no `onmessage`, describe a port that is only used in browsers.
    (channel.port1 as unknown as { onmessage: () => void }).onmessage = () => {
      const resolves = waiting;
      waiting = [];
      for (const each of resolves) each();
    };
    port = channel.port2;
  }
  waiting.push(resolve);
  port.postMessage(null);
}
