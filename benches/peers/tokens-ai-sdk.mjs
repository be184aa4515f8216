// The AI SDK as its documentation shows it: streamText, and a loop over the text.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { streamText } from "ai";

export async function read(baseURL) {
  const provider = createOpenAICompatible({ name: "local", baseURL, apiKey: "none" });
  const { textStream } = streamText({ model: provider("small-1"), prompt: "Go on." });
  let length = 0;
  for await (const text of textStream) length += text.length;
  return length;
}
