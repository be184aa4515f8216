// The short way of the deltas of a streamed response, between the clients of `stepstream/llm` and the agents: a
// function gets each delta in the same turn in which its chunk arrives. A loop over the stream costs two promises and a
// result object for each chunk, which is more than all that an agent does with a token.

import type { ChatDelta } from "./chat.js";

/** The key of the short way. Streams of other origin lack it, and agents loop over them. */
export const pushDeltas: unique symbol = /* @__PURE__ */ Symbol("stepstream.pushDeltas");

/** A stream that may have the short way. */
export interface PushStream {
  /**
   * Reads all deltas, instead of a loop. An error that the function throws ends the reading, as it would end a loop.
   *
   * @returns When the stream has ended; rejects as the loop would. Undefined, and nothing is read, when the program has
   * changed how the stream is read: then its own way counts.
   */
  readonly [pushDeltas]?: (take: (delta: ChatDelta) => void) => Promise<void> | undefined;
}
