// What the package weighs, in the two ways it is taken: with the wasm inside the JavaScript, and beside it.
import { installed } from "../../scripts/lib/paths.mjs";
import { sizes } from "../../scripts/lib/size.mjs";

const rows = sizes(installed);
const gzipped = (wanted) => rows.find(({ name }) => name === wanted).gzip / 1e3;
console.log(
  JSON.stringify({
    wasmKB: gzipped("wasm alone"),
    slimKB: gzipped("slim + wasm"),
    inlineKB: gzipped("inline"),
  }),
);
