// Performs jobs in Vercel's edge runtime. As on its network, nothing can be compiled in it; what is compiled is brought in.
import { readFile } from "node:fs/promises";
import { EdgeRuntime } from "edge-runtime";
import { orders, performOver } from "./kit.mjs";

for (const order of await orders()) {
  const modules = {};
  for (const [name, file] of Object.entries(order.wasm)) modules[name] = new WebAssembly.Module(await readFile(file));
  const runtime = new EdgeRuntime({
    codeGeneration: { strings: false, wasm: false },
    extend: (context) => Object.assign(context, modules),
    initialCode: await readFile(order.code, "utf8"),
  });
  await performOver((body) => runtime.dispatchFetch("http://edge.test/", { method: "POST", body }), order);
}
