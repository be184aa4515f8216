// A connection is used for one call after the other: opening a new one costs several times the way to the provider and back.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { pause } from "../kit/index.js";
import { dialects } from "./dialects.js";

const messages = [{ role: "user", content: "Hi" }] as const;

test.for(Object.values(dialects))("$name: streams one after the other share a connection", async (dialect) => {
  let connections = 0;
  let sent: Promise<void> | undefined;
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(dialect.begin + dialect.text("Hello") + dialect.finish + dialect.marker);
      sent = new Promise((resolve) => response.once("close", () => resolve()));
      // The end of the body comes after the end marker, as a packet of its own.
      setTimeout(() => response.end(), 20);
    });
  });
  server.on("connection", () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const client = dialect.client({ baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    for (let call = 0; call < 4; call += 1) {
      expect((await client.streamChat(messages).response).text).toBe("Hello");
      // The rest of the body is read when the answer is there already.
      await sent;
      await pause(100);
    }
    expect(connections).toBe(1);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
