// Where the bytes of the package are: the code of each module of wasm by module of Rust, before wasm-opt, which knows no names; and the
// JavaScript by chunk. Functions that the compiler has put into others count with those.
import { readFileSync } from "node:fs";
import path from "node:path";
import { boundModules } from "./build.mjs";
import { filesOf } from "./stages.mjs";
import { measure } from "./size.mjs";

const kilobytes = (bytes) => (bytes / 1000).toFixed(1);

/** A reader of the numbers and texts of a wasm file. */
class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  /** LEB128. */
  number() {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }

  slice(length) {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  text() {
    return Buffer.from(this.slice(this.number())).toString();
  }
}

/** The parts of a file: pairs of an id and a reader; what has a name of its own has that for an id. */
function* sections(bytes) {
  const file = new Reader(bytes);
  for (file.at = 8; file.at < bytes.length;) {
    const id = file.number();
    const section = new Reader(file.slice(file.number()));
    yield [id === 0 ? section.text() : id, section];
  }
}

const IMPORTS = 2;
const CODE = 10;
const DATA = 11;

/** What a kind of import is followed by: a function's type; the rest does not occur before the code that wasm-bindgen writes. */
function functionImports(section) {
  let functions = 0;
  for (let left = section.number(); left > 0; left -= 1) {
    section.text();
    section.text();
    const kind = section.number();
    if (kind !== 0) throw new Error(`The wasm imports something of kind ${kind}, which this does not read.`);
    section.number();
    functions += 1;
  }
  return functions;
}

/** The functions of a module with their names and sizes, and the size of its constants. */
function functionsOf(bytes) {
  const names = new Map();
  const found = [];
  let [imported, constants] = [0, 0];
  for (const [id, section] of sections(bytes)) {
    if (id === IMPORTS) imported = functionImports(section);
    if (id === DATA) constants = section.bytes.length;
    if (id === CODE) {
      for (let left = section.number(), at = imported; left > 0; left -= 1, at += 1) {
        const size = section.number();
        section.slice(size);
        found.push({ at, size });
      }
    }
    if (id === "name") {
      while (section.at < section.bytes.length) {
        const [kind, part] = [section.number(), new Reader(section.slice(section.number()))];
        if (kind !== 1) continue;
        for (let left = part.number(); left > 0; left -= 1) names.set(part.number(), part.text());
      }
    }
  }
  return { constants, functions: found.map(({ at, size }) => ({ name: names.get(at) ?? "", size })) };
}

/** The module of Rust that a function is of: the first of ours that its name mentions. */
function partOf(name) {
  const path = /stepstream(?:\[\w+\])?::(\w+(?:::\w+)?)/.exec(name)?.[1];
  if (path !== undefined)
    return (
      path
        .split("::")
        .filter((word) => /^[a-z]/.test(word))
        .join("::") || "the rest"
    );
  return /^(graph|engine|snapshot|journal|replay|call)_/.test(name)
    ? "exported functions"
    : "standard library and crates";
}

/** Parts smaller than this share of the whole are summed up in one row. */
const SMALL = 0.012;

function table(head, rows) {
  return [
    `| ${head.join(" | ")} |`,
    `|${head.map(() => "---|").join("")}`,
    ...rows.map((row) => `| ${row.join(" | ")} |`),
  ];
}

function ofWasm({ name, bound }) {
  const { constants, functions } = functionsOf(readFileSync(bound));
  const parts = new Map([["constants: texts, tables", constants]]);
  for (const { name, size } of functions) parts.set(partOf(name), (parts.get(partOf(name)) ?? 0) + size);
  const total = [...parts.values()].reduce((sum, size) => sum + size, 0);
  const large = [...parts].filter(([, size]) => size >= total * SMALL).sort((a, b) => b[1] - a[1]);
  const rest = total - large.reduce((sum, [, size]) => sum + size, 0);
  const rows = [...large, ["smaller parts", rest]].map(([part, size]) => [part, kilobytes(size)]);
  return [`\`${name}.wasm\`, ${kilobytes(total)} kB before wasm-opt:`, "", ...table(["part", "kB"], rows), ""];
}

function ofScripts(folder) {
  const files = filesOf([folder]).filter((file) => file.endsWith(".js"));
  const rows = files
    .map((file) => ({ name: path.relative(folder, file), ...measure(folder, [file]) }))
    .filter(({ raw }) => raw >= 1000)
    .sort((a, b) => b.raw - a.raw)
    .map(({ name, raw, gzip, brotli }) => [`\`${name}\``, ...[raw, gzip, brotli].map(kilobytes)]);
  return [
    "JavaScript, minified, by chunk, in kB; those with `inline` hold a module of wasm as text:",
    "",
    ...table(["file", "raw", "gzip", "brotli"], rows),
  ];
}

/** The whole section in Markdown, about the package in `folder` and the modules of the last build. */
export function whereTheBytesAre(folder) {
  return [...boundModules().flatMap(ofWasm), ...ofScripts(folder)].join("\n");
}
