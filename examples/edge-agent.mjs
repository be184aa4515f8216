// An agent as a request handler, as edge functions have it: a client posts a question, and the answer streams back
// while the model writes it. When the client disconnects, the run is cancelled.
//
//   node examples/edge-agent.mjs     posts one question to the handler and prints the answer
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
      controller.close(); // If the run fails, the loop throws, and the response breaks off.
    },
    cancel: () => run.cancel("The client has disconnected."),
  });
  return new Response(body, { headers: { "content-type": "text/plain; charset=utf-8" } });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const response = await POST(new Request("https://example.com", { method: "POST", body: QUESTION }));
  const decoder = new TextDecoder();
  for await (const chunk of response.body) process.stdout.write(decoder.decode(chunk, { stream: true }));
  console.log();
}
