// The README's table of tested versions: compared with what has run, or written from it.
import { readFileSync, writeFileSync } from "node:fs";
import { at } from "../../../scripts/lib/paths.mjs";

const file = at("README.md");
const HEAD = "| runtime | tested version | where |\n|---|---|---|\n";
const TAIL = "<!-- end -->";

/** A line for each runtime. What comes from the system has other versions elsewhere, so only what the lock file names is compared. */
const lines = {
  Node: ["Node", "`import` and `require`"],
  "newest Node": ["Node, the newest of npm's", "`import` and `require`", "pinned"],
  Deno: ["Deno", "`import`", "pinned"],
  Bun: ["Bun", "`import`", "pinned"],
  workerd: ["Cloudflare Workers (workerd)", "many requests in one isolate; also `stepstream/slim`", "pinned"],
  "edge-runtime": ["Vercel's edge runtime (edge-runtime)", "an isolate in which nothing can be compiled", "pinned"],
  Chromium: ["Chromium", "page, worker, service worker; also `stepstream/slim`"],
  Firefox: ["Firefox", "page, worker; also `stepstream/slim`"],
};

const line = (name, version) => `| ${lines[name][0]} | ${version} | ${lines[name][1]} |`;

/** What is wrong with the table, given the versions by runtime that have run; undefined when it is as it must be. */
export function judgeTable(versions) {
  const text = readFileSync(file, "utf8");
  const pinned = Object.keys(versions).filter((name) => lines[name]?.[2] === "pinned");
  const missing = pinned.map((name) => line(name, versions[name])).filter((each) => !text.includes(`${each}\n`));
  if (missing.length === 0) return undefined;
  return `the README lacks ${missing.join(" and ")}; UPDATE_TABLES=1 node tests/runtimes/run.mjs writes it`;
}

/** Writes the table; every runtime must have run. */
export function writeTable(versions) {
  const text = readFileSync(file, "utf8");
  const start = text.indexOf(HEAD) + HEAD.length;
  const rows = Object.keys(lines).map((name) => `${line(name, versions[name])}\n`);
  writeFileSync(file, text.slice(0, start) + rows.join("") + text.slice(text.indexOf(TAIL, start)));
}
