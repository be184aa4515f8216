// Performs jobs in workerd, one Worker for each place; the jobs of a place share an isolate.
import { readFile } from "node:fs/promises";
import path from "node:path";
import { Miniflare } from "miniflare";
import { orders, performOver } from "./kit.mjs";

for (const order of await orders()) {
  const modules = [{ type: "ESModule", path: "worker.js", contents: await readFile(order.code, "utf8") }];
  for (const file of Object.values(order.wasm)) {
    modules.push({ type: "CompiledWasm", path: path.basename(file), contents: await readFile(file) });
  }
  const { compatibilityDate, durableObjects = {} } = order;
  const miniflare = new Miniflare({ modules, compatibilityDate, durableObjects });
  process.once("SIGTERM", () => miniflare.dispose().then(() => process.exit(1)));
  try {
    await performOver((body) => miniflare.dispatchFetch("http://worker.test/", { method: "POST", body }), order);
  } finally {
    await miniflare.dispose();
  }
}
