// The store on IndexedDB, in a real browser.

import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { claimLaws } from "../js/stores/claim-laws.js";
import { laws } from "../js/stores/laws.js";
import type { ForPage } from "./indexed-db.page.js";
import { type Site, openPage, serve, startChromium } from "./kit.js";

let profile = "";
let site: Site;
let browser: BrowserContext;
let page: Page;
let errors: unknown[];

beforeAll(async () => {
  profile = await mkdtemp(path.join(os.tmpdir(), "stepstream-chromium-"));
  site = await serve("indexed-db.page.ts");
  browser = await startChromium(profile);
  ({ page, errors } = await openPage(browser, site));
});

afterAll(async () => {
  await browser.close();
  await site[Symbol.asyncDispose]();
  await rm(profile, { recursive: true, force: true });
});

afterEach(() => expect(errors.splice(0), "errors in the page outside the tests").toEqual([]));

/** Calls one of the page's functions. */
function call<Name extends keyof ForPage>(
  where: Page,
  name: Name,
  ...args: Parameters<ForPage[Name]>
): Promise<Awaited<ReturnType<ForPage[Name]>>> {
  const source = `forPage[${JSON.stringify(name)}](...${JSON.stringify(args)})`;
  return where.evaluate(source);
}

describe("in a page", () => {
  test.for(Object.keys({ ...laws, ...claimLaws }))("%s", async (law) => {
    expect(await call(page, "checkLaw", law)).toBe("kept");
  });
});

test("in a worker", async () => {
  const some = ["what was saved is loaded", "of many that claim a run at once, one gets it", "waiting ends"];
  for (const law of some) {
    expect(await call(page, "inWorker", law)).toBe("kept");
  }
});

test("what one page has saved is there for another, and after the browser was started again", async () => {
  await call(page, "saveAll", "kept", [1, 2, 3], 1000);
  const second = await openPage(browser, site);
  expect(await call(second.page, "loadWhole", "kept")).toBe(3);
  expect(await call(second.page, "saveAll", "kept", [2, 4], 1000)).toEqual([2]);
  expect(await call(page, "loadWhole", "kept")).toBe(4);
  await second.page.close();
  await browser.close();
  browser = await startChromium(profile);
  ({ page, errors } = await openPage(browser, site));
  expect(await call(page, "loadWhole", "kept")).toBe(4);
});

test("of pages that save one run at once the newest snapshot stays", async () => {
  const others = await Promise.all([openPage(browser, site), openPage(browser, site)]);
  const pages = [page, ...others.map((other) => other.page)];
  const sequences = Array.from({ length: 50 }, (_, nth) => nth);
  await Promise.all(
    pages.map((one, nth) =>
      call(
        one,
        "saveAll",
        "raced",
        sequences.map((sequence) => sequence * 3 + nth),
        20_000,
      ),
    ),
  );
  expect(await call(page, "loadWhole", "raced")).toBe(149);
  for (const other of others) {
    expect(other.errors).toEqual([]);
    await other.page.close();
  }
});

test("pages take turns with a run, each alone", async () => {
  const second = await openPage(browser, site);
  await Promise.all([call(page, "takeTurns", "turns", 10), call(second.page, "takeTurns", "turns", 10)]);
  expect((await call(page, "claim", "turns", 0, 60))!).toBe(21);
  expect(await call(page, "saveHeld", 18)).toEqual(["SNAPSHOT_STALE", false]);
  expect(await call(page, "saveHeld", 19)).toEqual(["saved", false]);
  await call(page, "release");
  await second.page.close();
});

test("a page that is closed frees its claim at once, whatever the lease", async () => {
  const second = await openPage(browser, site);
  expect(await call(second.page, "claim", "closed", 0, 100_000)).toBe(1);
  expect(await call(second.page, "saveHeld", 5)).toEqual(["saved", false]);
  expect(await call(page, "claim", "closed", 0, 60)).toBeUndefined();
  const waiting = call(page, "claim", "closed", null, 60);
  await second.page.close();
  expect(await waiting).toBe(2);
  expect(await call(page, "saveHeld", 6)).toEqual(["saved", false]);
  await call(page, "release");
});

test("a page that stands still for longer than its lease loses the claim to another", async () => {
  const second = await openPage(browser, site);
  expect(await call(second.page, "claim", "frozen", 0, 2)).toBe(1);
  expect(await call(second.page, "saveHeld", 5)).toEqual(["saved", false]);
  const frozen = call(second.page, "freeze", 6);
  expect(await call(page, "claim", "frozen", null, 60)).toBe(2);
  expect(await call(page, "saveHeld", 6)).toEqual(["saved", false]);
  await frozen;
  expect(await call(second.page, "saveHeld", 99)).toEqual(["CLAIM_LOST", true]);
  expect(await call(page, "saveHeld", 7)).toEqual(["saved", false]);
  await call(page, "release");
  await second.page.close();
});

test("a run is saved when its page is hidden", async () => {
  expect(await call(page, "autosaveHidden", "hidden")).toBe("waiting");
});

test("the database may be deleted under the store, which makes it anew", async () => {
  expect(await call(page, "deleteUnder", "deleted")).toBe(1);
});

test("errors of the browser are passed on as they are", async () => {
  expect(await call(page, "useForeign", "foreign")).toEqual(["NotFoundError", "VersionError"]);
});

test("what a newer stepstream has written is not overwritten", async () => {
  expect(await call(page, "overwriteNewer", "newer")).toBe("SNAPSHOT_VERSION");
});

test("a run goes on after the page was loaded again", async () => {
  const question = await call(page, "beginRun", "reloaded");
  await page.reload();
  await page.waitForFunction("globalThis.isReady === true");
  expect(await call(page, "answerRun", "reloaded", "forty-two")).toBe(`${question}: forty-two`);
});

test("a browser that crashes while it saves leaves a whole snapshot", async () => {
  let last = 0;
  for (let round = 0; round < 3; round += 1) {
    const sequences = Array.from({ length: 1000 }, (_, nth) => last + 1 + nth);
    void call(page, "saveAll", "crashed", sequences, 5_000_000).catch(() => {});
    const second = await openPage(browser, site);
    await expect.poll(() => call(second.page, "loadWhole", "crashed")).toBeGreaterThan(last);
    const session = await browser.newCDPSession(second.page);
    await Promise.race([
      session.send("Browser.crash").catch(() => {}),
      new Promise((resolve) => browser.once("close", resolve)),
    ]);
    await browser.close();
    browser = await startChromium(profile);
    ({ page, errors } = await openPage(browser, site));
    const sequence = await call(page, "loadWhole", "crashed");
    expect(sequence).toBeGreaterThan(last);
    last = sequence!;
  }
});
