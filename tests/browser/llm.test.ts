// Calls of models from a page in a real browser, to servers of another origin: all that the clients promise in Node holds there, too.

import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { LLMock } from "@copilotkit/aimock";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clients, laws } from "../js/llm/aimock-laws.js";
import { aimock } from "../js/llm/aimock-server.js";
import { faultServer } from "../js/llm/fault-server.js";
import type { ForPage } from "./llm.page.js";
import { type Site, openPage, serve, startChromium } from "./kit.js";

let profile = "";
let site: Site;
let browser: BrowserContext;
let page: Page;
let mock: LLMock;

beforeAll(async () => {
  profile = await mkdtemp(path.join(os.tmpdir(), "stepstream-chromium-"));
  mock = await aimock();
  site = await serve("llm.page.ts");
  browser = await startChromium(profile);
  ({ page } = await openPage(browser, site));
});

afterAll(async () => {
  await browser.close();
  await site[Symbol.asyncDispose]();
  await mock.stop();
  await rm(profile, { recursive: true, force: true });
});

/** Calls one of the page's functions. */
function call<Name extends keyof ForPage>(
  name: Name,
  ...args: Parameters<ForPage[Name]>
): Promise<Awaited<ReturnType<ForPage[Name]>>> {
  return page.evaluate(`forPage[${JSON.stringify(name)}](...${JSON.stringify(args)})`);
}

describe.for(Object.keys(clients))("%s", (client) => {
  test.for(Object.keys(laws))("%s", async (law) => {
    expect(await call("checkLaw", client, law, mock.url)).toBe("kept");
  });

  test("an abort closes the connection", async () => {
    const { begin, text } = clients[client]!;
    const server = await faultServer(
      (exchange) => void exchange.head(200, { connection: "keep-alive" }).send(begin + text("Hello ")),
    );
    try {
      expect(await call("abortAtFirstText", client, server.url)).toEqual(["LLM_ABORTED", "Hello "]);
      await (await server.exchange(0)).givenUp();
    } finally {
      await server[Symbol.asyncDispose]();
    }
  });
});
