// The packages whose code is inside the published one, and the notice that their licences want to travel with it.
import { readFileSync } from "node:fs";
import { at } from "./paths.mjs";

/** By name, as installed; the bundler refuses to take in any other. */
export const bundled = ["devalue"];

/** What the notice says of a package. */
export function noticeOf(name) {
  const folder = at("node_modules", name);
  const { version, license, repository } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const source = typeof repository === "string" ? repository : repository.url;
  const text = readFileSync(`${folder}/LICENSE`, "utf8").trim();
  return `${name} ${version} (${license}, ${source})\n\n${text}\n`;
}

/** The whole notice. */
export function thirdPartyNotice() {
  return ["This package contains code of these packages.\n", ...bundled.map(noticeOf)].join("\n");
}
