// Streams of every provider through real HTTP: where the network cuts them does not matter, and two at once do not mix. The fixtures were
// written for this project; recordings of real answers are data of others and no part of it, so those tests are skipped where there are none.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { type ChatDelta, type ChatResponse, LLMError } from "stepstream/llm";
import { describe, expect, test } from "vitest";
import { turn } from "../kit/index.js";
import { type Dialect, dialects } from "./dialects.js";
import { type FaultServer, faultServer } from "./fault-server.js";

const root = path.join(import.meta.dirname, "../../..");
const recordings = process.env["STEPSTREAM_RECORDINGS"] ?? path.join(root, "../shared/recordings");

interface Stream {
  readonly name: string;
  readonly dialect: Dialect;
  readonly bytes: Uint8Array;
}

const { chat, responses, anthropic, gemini } = dialects;

/** Written by hand; the first word of the name is the API. */
function fixtures(): Stream[] {
  const folder = path.join(root, "tests/llm_fixtures");
  return readdirSync(folder).map((name) => {
    const dialect = { chat, responses, anthropic, gemini }[name.split("-")[0]!]!;
    return { name, dialect, bytes: readFileSync(path.join(folder, name)) };
  });
}

const folders = {
  anthropic,
  google: gemini,
  "openai-chat": chat,
  "openai-compatible": chat,
  "openai-responses": responses,
};

/** Real answers: one event a line, to be framed as the provider does. */
function recorded(): Stream[] {
  return Object.entries(folders).flatMap(([folder, dialect]) => {
    const at = path.join(recordings, folder);
    if (!existsSync(at)) return [];
    return readdirSync(at)
      .filter((name) => name.endsWith(".jsonl"))
      .flatMap((name) =>
        answersIn(readFileSync(path.join(at, name), "utf8")).map((events, nth) => ({
          name: `${folder}/${name}#${nth}`,
          dialect,
          bytes: Buffer.from(events.map(framed).join("") + (dialect === chat ? chat.marker : "")),
        })),
      );
  });
}

/** One file may hold several answers, each with its own end. */
function answersIn(text: string): string[][] {
  const answers: string[][] = [[]];
  for (const line of text.split("\n").filter((line) => line.trim() !== "")) {
    answers.at(-1)!.push(line.trim());
    if (line.startsWith('{"type":"response.completed"')) answers.push([]);
  }
  return answers.filter((events) => events.length > 0);
}

function framed(line: string): string {
  // One recording lacks the last bracket of two events.
  const event = isJson(line) ? line : `${line}}`;
  const { type } = JSON.parse(event) as { type?: string };
  return `${type === undefined ? "" : `event: ${type}\n`}data: ${event}\n\n`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Numbers that look random and are the same in every run (mulberry32). */
function drawing(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const ends = [...new Set([...cuts, bytes.length])].sort((a, b) => a - b);
  return ends.map((end, nth) => bytes.subarray(ends[nth - 1] ?? 0, end));
}

/** A call's end, and the texts of its deltas put together by block. */
interface Outcome {
  readonly end: ChatResponse | { readonly code: string; readonly partial: ChatResponse | undefined };
  readonly texts: Readonly<Record<number, string>>;
}

async function read({ dialect }: Stream, server: FaultServer): Promise<Outcome> {
  const stream = dialect
    .client({ baseURL: server.url, maxRetries: 0 })
    .streamChat([{ role: "user", content: "Go on." }]);
  const texts: Record<number, string> = {};
  const take = (delta: ChatDelta): void => {
    if ("text" in delta) texts[delta.index] = (texts[delta.index] ?? "") + delta.text;
  };
  const end = stream.response.catch((error: LLMError) => ({ code: error.code, partial: error.partial }));
  try {
    for await (const delta of stream) take(delta);
  } catch (error) {
    expect(error).toBeInstanceOf(LLMError);
  }
  return settled({ end: await end, texts });
}

/** Ids that a client made up because the provider gave none differ from call to call. */
function settled({ end, texts }: Outcome): Outcome {
  const message = "code" in end ? end.partial?.message : end.message;
  let written = JSON.stringify({ end, texts });
  const made = typeof message?.content === "string" ? [] : (message?.content ?? []);
  made.forEach((block, index) => {
    if (block.type === "toolCall") written = written.replaceAll(JSON.stringify(block.id), `"call ${index}"`);
  });
  return JSON.parse(written) as Outcome;
}

async function readPieces(stream: Stream, cut: readonly Uint8Array[]): Promise<Outcome> {
  await using server = await faultServer(async (exchange) => (await exchange.head().sendEach(cut)).end());
  return await read(stream, server);
}

/** The deltas are what the answer holds. */
function checkTexts({ end, texts }: Outcome): void {
  const message = "code" in end ? end.partial?.message : end.message;
  if (message === undefined || typeof message.content === "string") return;
  message.content.forEach((block, index) => {
    const whole = block.type === "toolCall" ? block.arguments : "text" in block ? block.text : "";
    expect(texts[index] ?? "").toBe(whole);
  });
}

const sources = [
  { title: "streams written by hand", all: fixtures() },
  { title: "recorded streams", all: recorded() },
];

describe.for(sources)("$title", ({ all }) => {
  // Without recordings there is one test, which is skipped and so shows up in the report.
  const isThere = all.length > 0;
  const cases: readonly (readonly [string, Stream | undefined])[] = isThere
    ? all.map((stream) => [stream.name, stream] as const)
    : [[`none at ${recordings}`, undefined]];

  test.skipIf(!isThere).for(cases)("%s means the same however it is cut", async ([, given]) => {
    const stream = given!;
    const whole = await readPieces(stream, [stream.bytes]);
    checkTexts(whole);
    if (stream.name.includes("error")) expect(whole.end).toMatchObject({ code: "LLM_QUOTA" });
    else expect(whole.end).toMatchObject({ finishReason: expect.any(String), usage: expect.any(Object) });
    const draw = drawing(stream.bytes.length);
    for (let round = 0; round < 12; round += 1) {
      const cuts = Array.from({ length: 1 + draw(60) }, () => draw(stream.bytes.length));
      expect(await readPieces(stream, cutAt(stream.bytes, cuts)), `cut at ${cuts.join(", ")}`).toEqual(whole);
    }
  });

  test.skipIf(!isThere).for(cases)("%s beside another does not mix with it", async ([, given]) => {
    const stream = given!;
    const other = all[(all.indexOf(stream) + 1) % all.length]!;
    const alone = [await readPieces(stream, [stream.bytes]), await readPieces(other, [other.bytes])];
    await using server = await faultServer(() => {});
    const first = read(stream, server);
    const one = await server.exchange(0);
    const second = read(other, server);
    const two = await server.exchange(1);
    const step = (bytes: Uint8Array): Uint8Array[] =>
      cutAt(
        bytes,
        Array.from({ length: 40 }, (_, nth) => Math.floor((bytes.length * nth) / 40)),
      );
    const pieces = [step(stream.bytes), step(other.bytes)] as const;
    one.head();
    two.head();
    for (let nth = 0; nth < Math.max(pieces[0].length, pieces[1].length); nth += 1) {
      one.send(pieces[0][nth] ?? "");
      two.send(pieces[1][nth] ?? "");
      for (let turns = 0; turns < 2; turns += 1) await turn();
    }
    one.end();
    two.end();
    expect(await Promise.all([first, second])).toEqual(alone);
  });
});
