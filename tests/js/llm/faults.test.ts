// Every way in which the connection to a provider, or what comes over it, can fail: each is made to happen by a server, whose requests
// are counted. docs/llm-faults.md is the table of what comes of it, and is compared with it.

import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { WorkflowError } from "stepstream";
import { type ChatResponse, type ChatStream, LLMError, type Usage } from "stepstream/llm";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { soon } from "../kit/index.js";
import { dialects } from "./dialects.js";
import { type CallClock, type Fault, faultTable } from "./fault-table.js";
import { faultServer } from "./fault-server.js";

const messages = [{ role: "user", content: "Say hello." }] as const;

/** What came of a call, in the words of the table. */
function summary(outcome: ChatResponse | LLMError): string {
  if (!(outcome instanceof LLMError)) return `“${outcome.text}”`;
  const { code, status, retryAfter, partial } = outcome;
  const parts = [status === undefined ? code : `${code} ${status}`];
  if (retryAfter !== undefined) parts.push(`retryAfter ${retryAfter}`);
  if (partial?.text) parts.push(`partial “${partial.text}”`);
  const cost = partial && costOf(partial.usage);
  if (cost) parts.push(`usage ${cost}`);
  return parts.join(", ");
}

const costOf = ({ input, output }: Usage): string =>
  [input, output].filter((count) => count !== undefined).join(" and ");

/** Lets time pass only when a test says so, for timers and clocks. Everything else, the network too, goes on. */
function stopClock(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
  onTestFinished(() => void vi.useRealTimers());
}

/** The clock that was stopped, for a call that has sent so many requests. */
const callClock = (requests: () => number): CallClock => ({
  pass: async (seconds) => void (await vi.advanceTimersByTimeAsync(seconds * 1000)),
  async passUntil(count) {
    while (requests() < count) await vi.advanceTimersByTimeAsync(1);
  },
});

async function check(row: Fault): Promise<void> {
  const { dialect = dialects.chat, options = {}, atLeast = 0, whole = false } = row;
  await using server = await faultServer(...row.answers);
  let requests = 0;
  const counting: typeof fetch = async (...args) => {
    const nth = requests;
    requests += 1;
    const response = await fetch(...args);
    server.exchanges[nth]?.headIsRead.resolve();
    return response;
  };
  const controller = new AbortController();
  const baseURL = (await row.at?.()) ?? server.url;
  const client = dialect.client({ baseURL, fetch: counting, ...options });
  if (row.time) stopClock();
  const began = performance.now();
  const beside = row.meanwhile?.(server, () => controller.abort());
  const passing = row.time?.(
    server,
    callClock(() => requests),
  );

  const seen: string[] = [];
  const read = async (stream: ChatStream): Promise<ChatResponse> => {
    // Who leaves the loop has not asked for the whole, which would go on without readers.
    const heard = row.leaves ? undefined : stream.response.catch((error: unknown) => error);
    try {
      for await (const delta of stream) {
        if (delta.type === "text") {
          seen.push(delta.text);
          server.exchanges.at(-1)?.textIsRead.resolve();
        }
        if (seen.length > 0 && row.leaves) break;
      }
    } catch (error) {
      expect(await heard, "the error of the loop is that of the promise").toBe(error);
      throw error;
    }
    return stream.response;
  };
  const given = { signal: controller.signal };
  const call = whole ? client.chat(messages, given) : read(client.streamChat(messages, given));
  const outcome = await soon(call.catch((error: unknown) => error as LLMError));
  await beside;
  await passing;
  const took = (performance.now() - began) / 1e3;
  vi.useRealTimers();

  expect(summary(outcome), outcome instanceof Error ? outcome.message : "").toBe(row.outcome);
  expect(requests, "requests that were sent").toBe(row.requests);
  if (!row.at) expect(server.exchanges.length, "requests that were seen").toBe(row.requests);
  // Timers may ring a millisecond early, as the clock counts.
  expect(took).toBeGreaterThanOrEqual(atLeast - 0.02);
  const text = outcome instanceof LLMError ? (outcome.partial?.text ?? "") : outcome.text;
  if (!whole) expect(seen.join(""), "the deltas are the answer").toBe(text);
  if (outcome instanceof LLMError) {
    expect(outcome).toBeInstanceOf(WorkflowError);
    const everything = `${outcome.message} ${outcome.stack} ${JSON.stringify(outcome)} ${JSON.stringify(outcome.partial)}`;
    expect(everything, "the key is nowhere").not.toContain("key-for-tests");
  }

  // No connection stays open, and the client closes what the server would not.
  for (const exchange of server.exchanges) await soon(exchange.closed);
  expect(server.exchanges.at(-1)?.isGivenUp ?? false, "the client hangs up").toBe(row.hangsUp ?? false);
  row.check?.(server.exchanges);
}

for (const [section, rows] of Object.entries(faultTable)) {
  describe(section, () => {
    test.for(rows.map((row) => [row.fault, row] as const))("%s", ([, row]) => check(row));
  });
}

test("docs/llm-faults.md has this table", () => {
  const file = path.join(import.meta.dirname, "../../../docs/llm-faults.md");
  const written = document();
  if (process.env["UPDATE_TABLES"]) writeFileSync(file, written);
  expect(readFileSync(file, "utf8")).toBe(written);
});

function document(): string {
  const sections = Object.entries(faultTable).map(([title, rows]) => {
    const lines = rows.map((row) => {
      const cells = [row.fault, row.server, optionsOf(row), outcomeOf(row), String(row.requests)];
      return `| ${cells.join(" | ")} |`;
    });
    return [
      `## ${title}`,
      "",
      "| what goes wrong | the server | options | the call ends with | requests |",
      "|---|---|---|---|---|",
      ...lines,
      "",
    ].join("\n");
  });
  return `${introduction}\n${sections.join("\n")}`;
}

const optionsOf = ({ options = {}, whole }: Fault): string => {
  const shown = Object.entries(options).map(
    ([name, value]) => `\`${name}: ${JSON.stringify(value).replaceAll('"', "")}\``,
  );
  return [...(whole ? ["`chat`"] : []), ...shown].join(", ");
};

const outcomeOf = ({ outcome, hangsUp, atLeast }: Fault): string =>
  [
    outcome.replaceAll(/LLM_[A-Z_]+/g, (code) => `\`${code}\``),
    ...(atLeast ? [`after ${atLeast} s or more`] : []),
    ...(hangsUp ? ["the client hangs up"] : []),
  ].join("; ");

const introduction = `# When calls of models fail

<!-- Written by tests/js/llm/faults.test.ts: UPDATE_TABLES=1 npx vitest run --project js tests/js/llm/faults.test.ts -->

Each row is a test. A server on the same machine does what the second column says, and counts the requests. The client
calls \`streamChat\`, or \`chat\` where the options say so. Options that are not listed have their defaults. In every row,
the loop over the deltas ends with the same error as the promise of the response, the joined deltas are \`partial.text\`,
and no connection stays open.

A code is the code of an \`LLMError\`, with the HTTP status if there was one. "Partial" is \`error.partial.text\`, the text
that had arrived. "Usage" is \`error.partial.usage\`, the input and output tokens that were known by then.
`;
