// The packages whose code is inside the published one, and the notice that their licences want to travel with it.
import { existsSync, readFileSync } from "node:fs";
import { at } from "./paths.mjs";

/** By name, as installed; the bundler refuses to take in any other. */
export const bundled = ["devalue", "@cfworker/json-schema"];

/** The crates whose code is inside the modules of wasm, and who holds their copyright; all are MIT. */
const crates = {
  talc: { holder: "2023 Shaun Beautement", source: "https://github.com/SFBdragon/talc" },
  "wasm-bindgen": { holder: "2014 Alex Crichton", source: "https://github.com/wasm-bindgen/wasm-bindgen" },
};

/** For packages that name the MIT licence without bringing its text. */
const mit = (holder) => `MIT License

Copyright (c) ${holder}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

function licenceOf(folder, { name, license, author }) {
  const file = `${folder}/LICENSE`;
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  if (license !== "MIT") throw new Error(`${name} brings no licence.`);
  return mit(typeof author === "string" ? author.replace(/ *<.*>/, "") : author.name);
}

/** What the notice says of a package. */
export function noticeOf(name) {
  const folder = at("node_modules", name);
  const manifest = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const { version, license, repository } = manifest;
  const source = typeof repository === "string" ? repository : repository.url;
  return `${name} ${version} (${license}, ${source})\n\n${licenceOf(folder, manifest)}\n`;
}

/** What the notice says of a crate. */
function noticeOfCrate([name, { holder, source }]) {
  const [, version] = new RegExp(`name = "${name}"\nversion = "(.*)"`).exec(readFileSync(at("Cargo.lock"), "utf8"));
  return `${name} ${version} (MIT, ${source})\n\n${mit(holder)}\n`;
}

/** The notices, one for each package and crate. */
export const notices = () => [...bundled.map(noticeOf), ...Object.entries(crates).map(noticeOfCrate)];

/** The whole notice. */
export function thirdPartyNotice() {
  return ["This package contains code of these packages.\n", ...notices()].join("\n");
}
