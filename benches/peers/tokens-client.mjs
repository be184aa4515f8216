// stepstream's client without an agent.
import { OpenAICompatible } from "stepstream/llm";

export async function read(baseURL) {
  const client = new OpenAICompatible({ model: "small-1", apiKey: "none", baseURL });
  let length = 0;
  for await (const delta of client.streamChat([{ role: "user", content: "Go on." }])) {
    if (delta.type === "text") length += delta.text.length;
  }
  return length;
}
