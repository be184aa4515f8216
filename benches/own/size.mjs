// What the package weighs: the engine alone, workflows in the two ways they are taken (with the wasm inside the JavaScript, and beside it),
// and everything that there is.
import { installed } from "../../scripts/lib/paths.mjs";
import { sizes } from "../../scripts/lib/size.mjs";

const rows = sizes(installed);
const gzipped = (wanted) => rows.find(({ name }) => name === wanted).gzip / 1e3;
console.log(
  JSON.stringify({
    wasmKB: gzipped("wasm alone"),
    engineKB: gzipped("engine"),
    slimKB: gzipped("slim + wasm"),
    inlineKB: gzipped("inline"),
    llmKB: gzipped("slim/llm + wasm"),
    agentsKB: gzipped("+ slim/agents"),
    everythingKB: gzipped("everything"),
  }),
);
