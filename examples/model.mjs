// The language model that the examples talk to, as the environment names it. `npm start` sets the variables for a small model that it starts
// on this machine, unless they are set.
//
//   OPENAI_API_KEY=… node examples/joke/run.mjs
//   OPENAI_BASE_URL=http://127.0.0.1:11434/v1 OPENAI_MODEL=qwen3:8b node examples/joke/run.mjs
import { LLMError, OpenAI, OpenAICompatible } from "stepstream/llm";

/** What OpenAI is asked for when OPENAI_MODEL names nothing else. */
const DEFAULT_MODEL = "gpt-4.1-mini";

/** A client for the model; ends the process with a word on what to set when there is none. */
export function modelOrExit() {
  // That a server is not there, or wants a key, is told in a line: nobody has to look into the program for it.
  process.once("uncaughtException", (error) => {
    if (!(error instanceof LLMError)) throw error;
    leave(`${error.code}: ${error.message}`);
  });
  const { OPENAI_API_KEY: apiKey, OPENAI_BASE_URL: baseURL, OPENAI_MODEL: model } = process.env;
  if (baseURL && !model) return leave(`Set OPENAI_MODEL to a model that ${baseURL} has.`);
  if (baseURL) return new OpenAICompatible({ baseURL, model, ...(apiKey && { apiKey }) });
  if (apiKey) return new OpenAI({ apiKey, model: model || DEFAULT_MODEL });
  return leave(
    "There is no model. Set OPENAI_API_KEY, or OPENAI_BASE_URL and OPENAI_MODEL for any server that speaks OpenAI's protocol; " +
      "or run `npm start`, which starts a small model on this machine.",
  );
}

function leave(message) {
  console.error(message);
  process.exit(1);
}
