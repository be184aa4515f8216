// What the browser tests have in common: a Chromium, and a server on this machine for the pages, whose scripts are bundled from the
// packed package as a user's bundler would.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { type BrowserContext, type Page, chromium } from "playwright-core";
import { rolldown } from "rolldown";

const executablePath = process.env["STEPSTREAM_CHROMIUM"] ?? "/usr/bin/chromium";

/** A program of this folder, with what it imports, as one module. */
async function bundled(program: string): Promise<string> {
  const bundle = await rolldown({
    input: path.join(import.meta.dirname, program),
    platform: "browser",
    resolve: { extensionAlias: { ".js": [".ts", ".js"] } },
  });
  const { output } = await bundle.generate({ format: "esm" });
  await bundle.close();
  return output[0].code;
}

/** Serves `/`, a page that runs the program, and `/program.js`, the program itself. */
export interface Site extends AsyncDisposable {
  readonly url: string;
}

export async function serve(program: string): Promise<Site> {
  const code = await bundled(program);
  const server = createServer((request, response) => {
    const [type, body] = request.url === "/program.js" ? ["text/javascript", code] : ["text/html", page];
    response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const page = `<!doctype html><title>stepstream</title><script type="module" src="/program.js"></script>`;

/** In milliseconds: so long that only what hangs takes longer, however busy the machine. */
const HANG = 120_000;

/** A Chromium whose profile is in a folder, so that another one can go on with it. */
export async function startChromium(profile: string, flags: readonly string[] = []): Promise<BrowserContext> {
  const args = ["--no-sandbox", ...flags];
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath,
    args,
    headless: true,
    timeout: HANG,
  });
  browser.setDefaultTimeout(HANG);
  return browser;
}

/** A page that has run the site's program. What goes wrong in it outside any test is kept in `errors`. */
export async function openPage(browser: BrowserContext, { url }: Site): Promise<{ page: Page; errors: unknown[] }> {
  const page = await browser.newPage();
  const errors: unknown[] = [];
  page.on("pageerror", (error) => errors.push(error));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(url);
  await page.waitForFunction("globalThis.isReady === true");
  return { page, errors };
}
