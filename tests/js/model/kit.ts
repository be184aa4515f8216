// The local model as the tests talk to it, and what they watch it with. Importing this also watches the console and unhandled rejections.

import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { Anthropic, OpenAI, OpenAICompatible } from "stepstream/llm";
import { inject, onTestFinished } from "vitest";
import "../kit/guard.js";

declare module "vitest" {
  interface ProvidedContext {
    localModel: { readonly address: string; readonly model: string };
  }
}

const { address, model } = inject("localModel");

/** As repeatable as it gets: a model that is left to chance may find no end to a number. And a failure is to be seen, not tried again. */
const steady = { temperature: 0, maxRetries: 0 } as const;

/** A client for the model. `through` is where it connects to instead, a {@link proxy} say. */
export const openai = (through = address): OpenAICompatible =>
  new OpenAICompatible({ baseURL: `${through}/v1`, model, server: "llamacpp", ...steady });

/** The same model in OpenAI's other protocol. */
export const responses = (): OpenAI =>
  new OpenAI({ api: "responses", baseURL: `${address}/v1`, apiKey: "none", model, ...steady });

/** The same model in Anthropic's protocol. */
export const anthropic = (): Anthropic => new Anthropic({ baseURL: `${address}/v1`, apiKey: "none", model, ...steady });

/** Whether the model works on any answer. */
export async function isWorking(): Promise<boolean> {
  const response = await fetch(`${address}/slots`);
  const slots = (await response.json()) as { readonly is_processing: boolean }[];
  return slots.some((slot) => slot.is_processing);
}

export interface Proxy {
  readonly address: string;
  /** Resolves when a client closes its connection, with the number of bytes it had been sent by then. */
  readonly closedByClient: Promise<number>;
}

/** A server that passes bytes on to the model's and back, and sees who closes a connection. */
export async function proxy(): Promise<Proxy> {
  const { hostname, port } = new URL(address);
  const sockets = new Set<Socket>();
  let report: (bytes: number) => void;
  const closedByClient = new Promise<number>((resolve) => (report = resolve));
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    let bytes = 0;
    upstream.on("data", (chunk) => (bytes += chunk.length));
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined); // A connection that is torn down; `close` follows.
    }
    client.pipe(upstream).pipe(client);
    client.on("close", () => {
      if (!upstream.readableEnded) report(bytes);
      upstream.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, closedByClient };
}
