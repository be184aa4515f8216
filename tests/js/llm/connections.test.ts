// A connection is used for one call after the other: opening a new one costs several times the way to the provider and back.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { deferred, soon, turn } from "../kit/index.js";
import { dialects } from "./dialects.js";

/**
 * A fetch whose body is read only as its reader reads, and what says that the body was read to its end, or was let go.
 */
function watchedFetch(): { fetch: typeof fetch; bodyIsOver: () => Promise<void> } {
  let over = deferred();
  const watched: typeof fetch = async (...args) => {
    over = deferred();
    const response = await fetch(...args);
    const reader = response.body!.getReader();
    const source: UnderlyingDefaultSource<Uint8Array> = {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        controller.close();
        over.resolve();
      },
      async cancel(reason) {
        over.resolve();
        await reader.cancel(reason);
      },
    };
    return new Response(new ReadableStream(source, { highWaterMark: 0 }), response);
  };
  return { fetch: watched, bodyIsOver: () => soon(over.promise) };
}

const messages = [{ role: "user", content: "Hi" }] as const;

test.for(Object.values(dialects))("$name: streams one after the other share a connection", async (dialect) => {
  let connections = 0;
  let finish = (): void => {};
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(dialect.begin + dialect.text("Hello") + dialect.finish + dialect.marker);
      finish = () => response.end();
    });
  });
  server.on("connection", () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { fetch, bodyIsOver } = watchedFetch();
    const client = dialect.client({ baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, fetch });
    for (let call = 0; call < 4; call += 1) {
      const stream = client.streamChat(messages);
      for await (const delta of stream) {
        // The end of the body comes when the end marker has been read, as a packet of its own.
        if (delta.type === "text") finish();
      }
      expect((await stream.response).text).toBe("Hello");
      await bodyIsOver();
      // Node's fetch frees the connection in the next turn.
      for (let turns = 0; turns < 3; turns += 1) await turn();
    }
    expect(connections).toBe(1);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
