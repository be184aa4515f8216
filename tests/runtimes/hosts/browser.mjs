// Performs jobs in a browser: in a page, and in workers of pages. The pages come from a server on this machine.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import path from "node:path";
import puppeteer from "puppeteer-core";
import { orders, print } from "./kit.mjs";

/** In milliseconds: so long that only what hangs takes longer, however busy the machine. */
const HANG = 120_000;

const all = await orders();
const { browser: kind, executablePath } = all[0];
/** What is served, by path: the programs of the places, and the modules that they may want. */
const files = {};
for (const { code, wasm } of all) {
  files[`/${path.basename(code)}`] = ["text/javascript", await readFile(code)];
  for (const [name, file] of Object.entries(wasm)) files[`/${name}`] = ["application/wasm", await readFile(file)];
}

const page = (program) =>
  `<!doctype html><meta charset="utf-8"><title>stepstream</title><script type="module" src="/${program}"></script>`;

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://here");
  const [type, body] = files[pathname] ?? ["text/html", page(searchParams.get("program"))];
  const policy = searchParams.get("policy");
  response.writeHead(200, { "content-type": type, ...(policy && { "content-security-policy": policy }) }).end(body);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${server.address().port}`;

// Nothing of what a browser asks its maker for when it starts.
const quiet = {
  chrome: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
  firefox: [],
};
const browser = await puppeteer.launch({
  browser: kind,
  executablePath,
  headless: true,
  args: quiet[kind],
  timeout: HANG,
  protocolTimeout: HANG * 5,
});
try {
  for (const { place, inside, jobs, code, policy } of all) {
    const tab = await browser.newPage();
    const errors = [];
    tab.on("pageerror", (error) => errors.push(String(error)));
    const query = new URLSearchParams({ program: path.basename(code), ...(policy && { policy }) });
    await tab.goto(`${origin}/?${query}`);
    await tab.waitForFunction("typeof performIn === 'function'", { timeout: HANG });
    const reports = await tab.evaluate((where, list) => globalThis.performIn(where, list), inside, jobs);
    for (const report of reports) print(place, report);
    for (const error of errors)
      print(place, { job: "suite", name: "nothing fails outside the tests", ok: false, error });
    await tab.close();
  }
} finally {
  await browser.close();
  server.closeAllConnections();
  server.close();
}
