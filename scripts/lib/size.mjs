// What a user downloads, per entry of the package: raw, gzip and brotli bytes of its JavaScript and wasm together.
import { readFileSync } from "node:fs";
import path from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import ts from "typescript";
import { glue } from "./paths.mjs";

/** The files that an entry pulls in: itself, what it imports statically, and the wasm it needs beside it. */
function filesBehind(folder, entry) {
  const files = [];
  const visit = (file) => {
    if (files.includes(file)) return;
    files.push(file);
    if (!file.endsWith(".js")) return;
    const source = readFileSync(path.join(folder, file), "utf8");
    for (const { fileName } of ts.preProcessFile(source, true, true).importedFiles) {
      if (!fileName.startsWith("node:")) visit(path.join(path.dirname(file), fileName.replace(/\?.*$/, "")));
    }
  };
  visit(entry);
  return files;
}

const kinds = {
  raw: (bytes) => bytes.length,
  gzip: (bytes) => gzipSync(bytes, { level: 9 }).length,
  brotli: (bytes) =>
    brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }).length,
};

/** The sums over some files. */
export function measure(folder, files) {
  const contents = files.map((file) => readFileSync(path.resolve(folder, file)));
  const sum = (kind) => contents.reduce((total, bytes) => total + kinds[kind](bytes), 0);
  return { raw: sum("raw"), gzip: sum("gzip"), brotli: sum("brotli") };
}

/** One row per entry of the package in `folder`; before them each wasm alone, and with its generated glue. */
export function sizes(folder) {
  const behind = (entry) => filesBehind(folder, `entry/${entry}.js`);
  const rows = [
    { name: "wasm alone", files: ["stepstream.wasm"] },
    { name: "engine", files: ["stepstream.wasm", path.join(glue, "stepstream_bg.js")] },
    { name: "llm wasm alone", files: ["stepstream-llm.wasm"] },
    { name: "llm engine", files: ["stepstream-llm.wasm", path.join(glue, "stepstream-llm_bg.js")] },
  ];
  for (const entry of ["inline", "edge-light", "workerd", "llm/inline", "llm/workerd", "agents/inline"]) {
    rows.push({ name: entry, files: behind(entry) });
  }
  const slim = [...behind("slim"), "stepstream.wasm"];
  const slimLlm = [...behind("slim/llm"), "stepstream-llm.wasm"];
  rows.push({ name: "slim + wasm", files: slim });
  rows.push({ name: "slim/llm + wasm", files: slimLlm });
  for (const entry of ["stores", "stores/file"]) rows.push({ name: entry, files: behind(entry) });
  // What they add to the main entry, without which they are of no use.
  for (const entry of ["checkpointer", "slim/agents"]) {
    rows.push({ name: `+ ${entry}`, files: behind(entry).filter((file) => !slim.includes(file)) });
  }
  const everything = new Set([
    ...slim,
    ...slimLlm,
    ...behind("slim/agents"),
    ...behind("stores"),
    ...behind("checkpointer"),
  ]);
  rows.push({ name: "everything", files: [...everything] });
  return rows.map((row) => ({ ...row, ...measure(folder, row.files) }));
}

/** The rows as a table for people. */
export function sizeTable(rows) {
  const cell = (bytes) => `${(bytes / 1000).toFixed(1)} kB`.padStart(10);
  const head = `${"".padEnd(18)}${["raw", "gzip", "brotli"].map((word) => word.padStart(10)).join("")}`;
  const body = rows.map((row) => `${row.name.padEnd(18)}${cell(row.raw)}${cell(row.gzip)}${cell(row.brotli)}`);
  return [head, ...body].join("\n");
}
