import type { FirstResult } from "./first-result.js";
import type { Place } from "./place.js";
import type { BackendWish, GivenFiles } from "./worker/messages.js";
import type { WorkerClient } from "./worker-client.js";

/** A page of the lab that lives as long as the visitor stays on it. */
export interface LabPage {
  readonly title: string;
  view(): unknown;
  /** Takes other settings, where the page stays the same: one has gone back, or on. */
  turn?(settings: string): void;
  /** Ends what the page has under way. */
  leave(): void;
}

/** What pages share: the worker, what runs have kept, the address. */
export interface LabServices {
  readonly worker: WorkerClient;
  /** Files that runs have kept, by study and name: the next page may use them. */
  readonly kept: Map<string, Map<string, Uint8Array>>;
  readonly wish: () => BackendWish;
  /** Draws anew, soon. */
  readonly changed: () => void;
  /** Says something to everybody, once in a while. */
  readonly announce: (text: string) => void;
  /** Writes an address without going anywhere; the one that is there already is not written again. */
  readonly write: (place: Place, how: "push" | "replace") => void;
  /** The network that a study has trained in this page, or when the lab was built. */
  readonly trained: (study: string) => Promise<GivenFiles>;
  readonly firstResult: (name: string) => Promise<FirstResult | null>;
}
