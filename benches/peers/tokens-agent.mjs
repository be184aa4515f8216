// stepstream from the socket to the events of an agent's run.
import { AgentStream, FunctionAgent } from "stepstream/agents";
import { OpenAICompatible } from "stepstream/llm";

export async function read(baseURL) {
  const llm = new OpenAICompatible({ model: "small-1", apiKey: "none", baseURL });
  const agent = new FunctionAgent({ name: "talker", llm });
  let length = 0;
  for await (const event of agent.run("Go on.")) if (event instanceof AgentStream) length += event.data.delta.length;
  return length;
}
