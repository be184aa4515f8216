// The same streams through an agent: from the body of an answer to the events of its run.
import { AgentStream, FunctionAgent } from "stepstream/agents";
import { OpenAI } from "stepstream/llm";
import { responseOf } from "../lib/streams.mjs";

export default {
  async decodeChat(kB) {
    const fetch = async () => responseOf("chat", kB);
    const llm = new OpenAI({ model: "small-1", apiKey: "none", api: "chat", fetch });
    let length = 0;
    for await (const event of new FunctionAgent({ llm }).run("Go on.")) {
      if (event instanceof AgentStream) length += event.data.delta.length;
    }
    return length;
  },
};
