// One call of a model by an agent.

import type { ChatDelta, ChatMessage, ChatOptions, LLM, OwnResponse, OwnStream } from "../model/chat.js";
import { type PushStream, pushDeltas } from "../model/push-deltas.js";
import { checkResponse } from "./check-messages.js";

/** Receives the deltas of a response. */
export interface DeltaSink {
  take(delta: ChatDelta): void;
  /** The response is complete. */
  end(): void;
}

const ignore = (): void => undefined;

const SOURCE = "The model";

/**
 * Calls a model; with a sink as a stream.
 *
 * @throws ValidationError `INVALID_AGENT` for a response that is not valid; and whatever the model throws.
 */
export async function callModel(
  llm: LLM,
  messages: readonly ChatMessage[],
  options: ChatOptions,
  sink: DeltaSink | undefined,
): Promise<OwnResponse> {
  if (sink === undefined) return checkResponse(await llm.chat(messages, options), SOURCE);
  const stream: OwnStream & PushStream = llm.streamChat(messages, options);
  // It may reject while or after the deltas are read; that must not be an unhandled rejection.
  Promise.resolve(stream.response).then(ignore, ignore);
  const pushed = stream[pushDeltas]?.((delta) => sink.take(delta));
  if (pushed !== undefined) await pushed;
  else for await (const delta of stream) sink.take(delta);
  const response = checkResponse(await stream.response, SOURCE);
  sink.end();
  return response;
}
