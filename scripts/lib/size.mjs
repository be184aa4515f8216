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

/** One row per entry of the package in `folder`; before them the wasm alone, and with its generated glue. */
export function sizes(folder) {
  const rows = [
    { name: "wasm alone", files: ["stepstream.wasm"] },
    { name: "engine", files: ["stepstream.wasm", path.join(glue, "stepstream_bg.js")] },
  ];
  for (const entry of ["inline", "edge-light", "workerd"]) {
    rows.push({ name: entry, files: filesBehind(folder, `entry/${entry}.js`) });
  }
  rows.push({ name: "slim + wasm", files: [...filesBehind(folder, "entry/slim.js"), "stepstream.wasm"] });
  for (const entry of ["stores", "stores/file"]) {
    rows.push({ name: entry, files: filesBehind(folder, `entry/${entry}.js`) });
  }
  // What it adds to the main entry, without which it is of no use.
  const there = filesBehind(folder, "entry/inline.js");
  const added = filesBehind(folder, "entry/checkpointer.js").filter((file) => !there.includes(file));
  rows.push({ name: "+ checkpointer", files: added });
  return rows.map((row) => ({ ...row, ...measure(folder, row.files) }));
}

/** The rows as a table for people. */
export function sizeTable(rows) {
  const cell = (bytes) => `${(bytes / 1000).toFixed(1)} kB`.padStart(10);
  const head = `${"".padEnd(16)}${["raw", "gzip", "brotli"].map((word) => word.padStart(10)).join("")}`;
  const body = rows.map((row) => `${row.name.padEnd(16)}${cell(row.raw)}${cell(row.gzip)}${cell(row.brotli)}`);
  return [head, ...body].join("\n");
}
