// What the peers with agents share: how a turn is made of an agent's own calls, and the client that the part `bytes` puts
// behind them.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { fetchScript } from "./script-bodies.mjs";
import { questionOf } from "./script.mjs";

/**
 * The cases of an agent. `generate` and `stream` ask it, as its documentation shows; `forget` is called after each run.
 */
export function agentTurns({ generate, stream }, forget = () => {}) {
  return {
    async agentTurn(i) {
      const { text } = await generate(questionOf(i));
      forget();
      return text;
    },

    async agentStream(i) {
      const { textStream } = await stream(questionOf(i));
      let text = "";
      for await (const piece of textStream) text += piece;
      forget();
      return text;
    },
  };
}

/** A model of the AI SDK's client for compatible servers, over the `fetch` that stepstream's has in the same row. */
export const modelOverFetch = () =>
  createOpenAICompatible({ name: "local", baseURL: "http://127.0.0.1/v1", apiKey: "none", fetch: fetchScript })(
    "small-1",
  );
