// The app in Next, built by Turbopack and by webpack and served by `next start`: in a client component, in a route in Node, and in the
// edge runtime.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { project } from "../../scripts/lib/bundlers.mjs";
import * as kit from "./kit.mjs";
import { startModel } from "./model.mjs";

const next = path.join(project, "../node_modules/next/dist/bin/next");
const env = { NEXT_TELEMETRY_DISABLED: "1" };
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

let browser;
let model;
let input;

before(async () => {
  model = await startModel();
  const { snapshot } = await kit.runSource();
  input = { snapshot, baseURL: model.baseURL };
  if (!kit.withoutPages) browser = await kit.startChromium();
});

after(async () => {
  await browser?.close();
  await model.close();
});

/** `next start` in a folder; resolves with its address once it answers. */
async function start(folder) {
  // A group of its own, so that whatever it starts ends with it.
  const server = spawn(process.execPath, [next, "start", "-H", "127.0.0.1", "-p", "0"], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const ended = new Promise((resolve) => server.once("close", resolve));
  const close = async () => {
    if (server.exitCode === null && server.signalCode === null) process.kill(-server.pid, "SIGKILL");
    await ended;
  };
  let said = "";
  try {
    const url = await new Promise((resolve, reject) => {
      const refuse = () => reject(new Error(`next start did not come up:\n${said}`));
      setTimeout(refuse, kit.HANG).unref();
      void ended.then(refuse);
      const read = (chunk) => {
        said += chunk;
        const address = /http:\/\/127\.0\.0\.1:[1-9]\d*/.exec(said);
        if (address && /Ready/.test(said)) resolve(`${address[0]}/`);
      };
      server.stdout.on("data", read);
      server.stderr.on("data", read);
    });
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Next's webpack build refuses every edge route of the app router, whatever it holds; those of the pages router work. */
const builds = {
  Turbopack: { flags: [], routes: ["api/node", "api/edge", "api/edge-page"] },
  webpack: { flags: ["--webpack"], routes: ["api/node", "api/edge-page"] },
};

for (const [name, { flags, routes }] of Object.entries(builds)) {
  describe(`Next with ${name}`, () => {
    const folder = path.join(project, `next-${name}`);
    let site;

    before(async () => {
      rmSync(folder, { recursive: true, force: true });
      cpSync(path.join(project, "next"), folder, { recursive: true });
      if (!routes.includes("api/edge")) rmSync(path.join(folder, "app/api/edge"), { recursive: true });
      await kit.runNode([next, "build", ...flags], { limit: 900, cwd: folder, env });
      site = await start(folder);
    });

    after(() => site?.close());

    for (const route of routes) {
      test(`in ${route}`, async () => {
        const response = await fetch(site.url + route, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(input),
          signal: AbortSignal.timeout(kit.HANG),
        });
        const text = await response.text();
        assert.equal(response.status, 200, text.slice(0, 2000));
        await kit.checkOutcome(JSON.parse(text));
      });
    }

    test("in a client component", { skip: kit.withoutPages }, async () => {
      const { outcome, scripts } = await kit.exerciseInPage(browser, site.url, input);
      await kit.checkOutcome(outcome);
      const sum = (size) => kilobytes(scripts.reduce((total, script) => total + size(script), 0));
      console.log(
        `Next with ${name} ships ${sum((b) => b.length)} for the page, ${sum((b) => gzipSync(b).length)} gzipped.`,
      );
    });
  });
}
