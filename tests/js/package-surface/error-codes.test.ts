// The error codes stand in two places: `src/error.rs` has those that the WebAssembly modules answer with, `codes.ts`
// has all of them with what people read. This compares the two, and writes `docs/errors.md` from the second:
// UPDATE_TABLES=1 npx vitest run --project js tests/js/package-surface/error-codes.test.ts
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as stepstream from "stepstream";
import { describe, expect, test } from "vitest";
// The table itself, since the package does not export it.
import { type CodeInfo, codes } from "../../../pkg-template/src/errors/codes.ts";

const root = path.resolve(import.meta.dirname, "../../..");
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");
const table = Object.entries<CodeInfo>(codes);

/** What each class of errors is about, for `docs/errors.md`. */
const classes: Readonly<Record<CodeInfo["class"], string>> = {
  ValidationError:
    "A workflow, an event, an option or an argument is wrong. It is thrown before anything has changed, except for `UNDECLARED_OUTPUT` and `INVALID_EVENT`, which can also fail a step that returns the wrong thing.",
  StepError: "A step threw something that is not an `Error`.",
  TimeoutError: "A run, a step or a wait took too long.",
  CancelledError: "A run was cancelled, or a step continues to work after its attempt has ended.",
  StalledError: "A run can never finish.",
  LimitError: "A limit was reached.",
  EngineError: "The engine could not start, or failed.",
  SnapshotError: "A run cannot be written as a snapshot or journal, or a store refuses a snapshot.",
  RecoverError: "A snapshot, a journal or a sealed snapshot cannot be used. Nothing of the run has been executed.",
  LLMError: "A call of a language model failed. See [the chapter on language models](llm.md#errors).",
};

/** Prose in lines of at most 120 columns. */
function wrapped(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + 1 + word.length > 120) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join("\n");
}

function document(): string {
  const intro =
    "Every error of the library is an instance of `Error` with a `code`. A code keeps its name in later versions, so " +
    "programs can compare it. The message of an error names what was wrong, followed by the text below. An error that a " +
    "step throws itself reaches you as the same object, without a code.";
  const sections = Object.entries(classes).map(([name, about]) => {
    const entries = table.filter(([, info]) => info.class === name);
    const texts = entries.map(([code, { help }]) => `### ${code}\n\n${wrapped(help)}\n`);
    return `## ${name}\n\n${wrapped(about)}\n\n${texts.join("\n")}`;
  });
  return `<!-- Written by tests/js/package-surface/error-codes.test.ts from the table in codes.ts; do not edit. -->

# Errors

${wrapped(intro)}

${sections.join("\n")}`;
}

describe("the error codes", () => {
  test("have the same names and numbers in Rust and in TypeScript", () => {
    const rows = [...read("src/error.rs").matchAll(/^ {4}\w+ = (\d+), "([A-Z_]+)";$/gm)];
    const rust = Object.fromEntries(rows.map(([, number, name]) => [name, Number(number)]));
    expect(rows.length).toBeGreaterThan(30);
    const numbered = table.flatMap(([name, { number }]) => (number === undefined ? [] : [[name, number] as const]));
    expect(Object.fromEntries(numbered)).toEqual(rust);
    expect(new Set(Object.values(rust)).size).toBe(rows.length);
  });

  test("belong to classes that the package exports", () => {
    const exported: Readonly<Record<string, unknown>> = stepstream;
    for (const [, { class: name }] of table) expect(exported[name], name).toBeTypeOf("function");
  });

  test("have a text of plain sentences that fits behind any detail", () => {
    for (const [name, { help }] of table) expect(help, name).toMatch(/^[A-Z"`][^\n]*[^\s]\.$/);
  });

  test("are all in docs/errors.md", () => {
    if (process.env["UPDATE_TABLES"]) writeFileSync(path.join(root, "docs/errors.md"), document());
    expect(read("docs/errors.md")).toBe(document());
  });
});
