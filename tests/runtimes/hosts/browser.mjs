// Performs jobs in a browser: in a page, and in workers of pages. The pages come from a server on this machine.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import puppeteer from "puppeteer-core";
import { orders, print } from "./kit.mjs";

const all = await orders();
const { browser: kind, executablePath, code } = all[0];
const program = await readFile(code);

const page = `<!doctype html><meta charset="utf-8"><title>stepstream</title><script type="module" src="/program.js"></script>`;

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://here");
  if (pathname === "/program.js") return response.writeHead(200, { "content-type": "text/javascript" }).end(program);
  if (pathname !== "/") return response.writeHead(404).end();
  const policy = searchParams.get("policy");
  response
    .writeHead(200, { "content-type": "text/html", ...(policy && { "content-security-policy": policy }) })
    .end(page);
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
  timeout: 60_000,
});
try {
  for (const { place, inside, jobs, policy } of all) {
    const tab = await browser.newPage();
    const errors = [];
    tab.on("pageerror", (error) => errors.push(String(error)));
    await tab.goto(policy === undefined ? origin : `${origin}/?policy=${encodeURIComponent(policy)}`);
    await tab.waitForFunction("typeof performIn === 'function'", { timeout: 20_000 });
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
