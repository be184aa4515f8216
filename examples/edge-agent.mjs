// An agent behind an address, in the form that edge functions share: a question is posted, the answer streams back while it is written, and a
// visitor who leaves ends the run.
//
//   node examples/edge-agent.mjs     answers one question to itself
import { pathToFileURL } from "node:url";
import { AgentStream } from "stepstream/agents";
import { QUESTION, functionAgent } from "./calculator/agents.mjs";
import { modelOrExit } from "./model.mjs";

const agent = functionAgent(modelOrExit());

export async function POST(request) {
  const run = agent.run(await request.text(), undefined, { signal: request.signal });
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    async start(controller) {
      // Plain text cannot be taken back. So this agent has no `retry`, after which a StreamReset would ask for that.
      for await (const event of run) {
        if (event instanceof AgentStream) controller.enqueue(encoder.encode(event.data.delta));
      }
      controller.close(); // Had the run failed, the loop would have thrown, and the response would break off.
    },
    cancel: () => run.cancel("the visitor has gone"),
  });
  return new Response(body, { headers: { "content-type": "text/plain; charset=utf-8" } });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const response = await POST(new Request("https://example.com", { method: "POST", body: QUESTION }));
  const decoder = new TextDecoder();
  for await (const chunk of response.body) process.stdout.write(decoder.decode(chunk, { stream: true }));
  console.log();
}
