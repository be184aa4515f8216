// A stand-in for all providers at once, which others have written: `@copilotkit/aimock`, with the answers that aimock-laws.ts asks for.

import { LLMock } from "@copilotkit/aimock";
import { COUNTING } from "./aimock-laws.js";

/** Starts it; `url` is its address, and it has to be stopped. */
export async function aimock(): Promise<LLMock> {
  const mock = new LLMock({ port: 0, host: "127.0.0.1" });
  mock
    .onMessage("greet", { content: "Grüße, 世界 👩‍🚀! Wie geht es?", reasoning: "I say hello." }, { chunkSize: 4 })
    .on(
      { userMessage: "weather", hasToolResult: false },
      {
        content: "I look.",
        toolCalls: [
          { name: "weather", arguments: '{"city":"Köln","days":2}' },
          { name: "time", arguments: '{"zone":"CET"}' },
        ],
      },
      { chunkSize: 3 },
    )
    .on({ userMessage: "weather", hasToolResult: true }, { content: "Sunny, at noon." })
    .on({ userMessage: "flaky", sequenceIndex: 0 }, { error: { message: "Overloaded." }, status: 503 })
    .onMessage("flaky", { content: "Now it works." })
    .onMessage("locked", { error: { message: "Who are you?", type: "authentication_error" }, status: 401 })
    .onMessage("crowded", { error: { message: "Too many.", type: "rate_limit_error" }, status: 429, retryAfter: 90 })
    .onMessage("slow", { content: COUNTING }, { chunkSize: 4, latency: 80 })
    .onMessage("broken", { content: COUNTING }, { chunkSize: 4, latency: 30, truncateAfterChunks: 8 });
  await mock.start();
  return mock;
}
