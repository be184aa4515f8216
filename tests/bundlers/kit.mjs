// What the tests of bundlers have in common: running what was built, and what has to come out of it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { chromium } from "playwright-core";
import { project } from "../../scripts/lib/bundlers.mjs";
import { lastLines, run } from "../../scripts/lib/command.mjs";
import { filesOf } from "../../scripts/lib/stages.mjs";

export const executablePath = process.env.STEPSTREAM_CHROMIUM ?? "/usr/bin/chromium";

/** For a test's `skip`: why pages cannot be opened, or false. */
export const withoutPages = process.env.STEPSTREAM_NO_CHROMIUM || false;

/** Runs a program of the project within `limit` seconds; gives what it printed. */
export async function runNode(args, { limit = 600, cwd = project, env = {} } = {}) {
  const { code, output, timedOut } = await run(process.execPath, args, { cwd, limit, env });
  const ended = timedOut ? `was ended after ${limit} s` : `ended with ${code}`;
  assert.equal(code, 0, `node ${args[0]} ${ended}:\n${lastLines(output, 40)}`);
  return output;
}

/** Runs a build of the app for Node, or the app itself. */
export const runProgram = async (file, input = {}) => JSON.parse(await runNode([file, JSON.stringify(input)]));

/** A run of the app as it is written, without any bundler; what others are held against, and whose snapshot they recover. */
export const runSource = (input) => runProgram(path.join(project, "app/program.js"), input);

const expected = {
  streamed: ["start", "word", "word", "word", "draft"],
  status: "waiting",
  recovered: [true, "three short words", true, 17, "here"],
  foreign: [true, "three short words", true, 17, "elsewhere"],
  refused: [true, "SNAPSHOT_TRUNCATED", "RecoverError"],
  timedOut: [true, "RUN_TIMEOUT", "TimeoutError"],
  nested: [42, true],
  models: { words: ["Grüße, ", "世界"], results: ["3"], agent: "It is 3.", refused: [true, "LLM_AUTH"] },
};

/** Fails unless the app has done what it should, and its snapshot can be recovered outside the bundle. */
export async function checkOutcome({ snapshot, unnamed, ...rest }) {
  assert.deepEqual(rest, expected);
  assert.equal(unnamed.apart, "zero one two");
  assert.match(unnamed.alike, /^zero one two$|^DUPLICATE_EVENT: .*`static readonly type`/);
  assert.deepEqual((await runSource({ snapshot })).foreign, expected.foreign);
}

/** The files that a folder holds and a page would load. */
export const scriptsIn = (folder) => filesOf([folder]).filter((file) => /\.(m?js|wasm)$/.test(file));

/** Fails unless both modules are in these files once, as text: no wasm file is needed. */
export function checkModulesOnce(files) {
  assert.deepEqual(
    files.filter((file) => file.endsWith(".wasm")),
    [],
  );
  const modules = files.flatMap((file) => readFileSync(file, "latin1").match(/AGFzbQEAAAAB/g) ?? []);
  assert.equal(modules.length, 2);
}

const types = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript" };

/** Serves a folder on this machine, and a page for its `main.js`, until it is disposed of. */
export async function serve(folder) {
  const server = createServer(({ url }, response) => {
    const file = path.join(folder, path.normalize(new URL(url, "http://localhost").pathname));
    try {
      if (url === "/main.html") response.setHeader("content-type", types[".html"]).end(page);
      else response.setHeader("content-type", types[path.extname(file)] ?? "").end(readFileSync(file));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const page = `<!doctype html><link rel="icon" href="data:," /><script type="module" src="main.js"></script>`;

/** In milliseconds: so long that only what hangs takes longer, however busy the machine. */
export const HANG = 120_000;

/** A browser for all pages of a test file. */
export const startChromium = () => chromium.launch({ executablePath, args: ["--no-sandbox"], headless: true });

/** Opens a page that offers the app's `exercise`, and calls it. Nothing may go wrong in the page. */
export async function exerciseInPage(browser, url, input) {
  const page = await browser.newPage();
  try {
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    const scripts = [];
    page.on("response", (response) => {
      if (response.request().resourceType() === "script") scripts.push(response.body());
    });
    await page.goto(url);
    await page.waitForFunction("typeof globalThis.exercise === 'function'", undefined, { timeout: HANG });
    const outcome = await page.evaluate(`exercise(${JSON.stringify(input)})`);
    // The browser itself reports the model's refusal.
    const unexpected = errors.filter((error) => !/status of 401/.test(error));
    assert.deepEqual(unexpected, []);
    return { outcome, scripts: await Promise.all(scripts) };
  } finally {
    await page.close();
  }
}
