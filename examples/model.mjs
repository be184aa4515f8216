// The language model of the examples, as the environment names it. If no variable is set, `npm start` starts a small
// model on this machine and sets them.
//
//   OPENAI_API_KEY=… node examples/joke/run.mjs
//   OPENAI_BASE_URL=http://127.0.0.1:11434/v1 OPENAI_MODEL=qwen3:8b node examples/joke/run.mjs
import { LLMError, OpenAI, OpenAICompatible } from "stepstream/llm";

/** OpenAI's model if OPENAI_MODEL is not set. */
const DEFAULT_MODEL = "gpt-4.1-mini";

/** A client for the model. If there is none, ends the process and says which variables to set. */
export function modelOrExit() {
  // A missing server or a missing key is reported in one line, without a stack trace.
  process.once("uncaughtException", (error) => {
    if (!(error instanceof LLMError)) throw error;
    leave(`${error.code}: ${error.message}`);
  });
  const { OPENAI_API_KEY: apiKey, OPENAI_BASE_URL: baseURL, OPENAI_MODEL: model } = process.env;
  if (baseURL && !model) return leave(`Set OPENAI_MODEL to a model that ${baseURL} has.`);
  if (baseURL) return new OpenAICompatible({ baseURL, model, ...(apiKey && { apiKey }) });
  if (apiKey) return new OpenAI({ apiKey, model: model || DEFAULT_MODEL });
  return leave(
    "There is no model. Set OPENAI_API_KEY, or set OPENAI_BASE_URL and OPENAI_MODEL for a server that speaks OpenAI's " +
      "protocol. Or run `npm start`, which starts a small model on this machine.",
  );
}

function leave(message) {
  console.error(message);
  process.exit(1);
}
