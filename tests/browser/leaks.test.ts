// Nothing is left in a page of what has ended, was disposed of, or was abandoned. The same cases as in Node
// (tests/js/core/leaks.gc.test.ts).

import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cases, isNothing } from "../js/kit/leaks.js";
import type { ForPage } from "./leaks.page.js";
import { type Site, openPage, serve, startChromium } from "./kit.js";

let profile = "";
let site: Site;
let browser: BrowserContext;
let page: Page;
let errors: unknown[];

beforeAll(async () => {
  profile = await mkdtemp(path.join(os.tmpdir(), "stepstream-chromium-"));
  site = await serve("leaks.page.ts");
  browser = await startChromium(profile, ["--js-flags=--expose-gc"]);
  ({ page, errors } = await openPage(browser, site));
  const inspector = await browser.newCDPSession(page);
  await page.exposeFunction("heapUsed", async () => (await inspector.send("Runtime.getHeapUsage")).usedSize);
});

afterAll(async () => {
  await browser.close();
  await site[Symbol.asyncDispose]();
  await rm(profile, { recursive: true, force: true });
});

describe("nothing is left in a page of", () => {
  test.for(Object.keys(cases))("%s", async (name) => {
    const left: Awaited<ReturnType<ForPage["leftBy"]>> = await page.evaluate(`forPage.leftBy(${JSON.stringify(name)})`);
    expect(left).toSatisfy(isNothing);
    expect(errors).toEqual([]);
  });
});
