// The two sides of the boundary must mean the same by the same number, and only what is meant for users may be seen.

import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import * as stepstream from "stepstream";
import { describe, expect, test } from "vitest";
import "../kit/guard.js";

const root = path.resolve(import.meta.dirname, "../../..");
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");

const rustWords = read("src/engine/words.rs");
const rustReplies = read("src/wasm/engine/reply.rs");
const rustCalls = ["graph", "mod", "snapshot"].map((file) => read(`src/wasm/engine/${file}.rs`)).join("");
const typescriptWords = read("pkg-template/src/wasm/protocol.ts");
const plan = read("pkg-template/src/runtime/plan.ts");

const upper = (name: string): string => name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
const matches = (text: string, expression: RegExp): string[][] =>
  [...text.matchAll(expression)].map(([, ...groups]) => groups.map((group) => group ?? ""));
const table = (rows: readonly string[][]): Record<string, number> =>
  Object.fromEntries(rows.map(([name, number]) => [name, Number(number)]));

/** The text between a beginning and the first end after it. */
function between(text: string, beginning: string, end: string): string {
  const from = text.indexOf(beginning);
  expect(from, `"${beginning}" should be in the file`).toBeGreaterThanOrEqual(0);
  const start = from + beginning.length;
  return text.slice(start, text.indexOf(end, start));
}

describe("the words of the boundary", () => {
  test("commands have the same numbers, and are followed by the same words", () => {
    const rust = matches(
      between(rustWords, "mod op {", "\n}"),
      /\/\/\/ (.*)\n\s*pub\(crate\) const (\w+): u32 = (\d+);/g,
    ).map(([words, name, number]) => [name, number, words]);
    const typescript = matches(
      between(typescriptWords, "export const op = {", "} as const"),
      /\/\*\* (.*) \*\/\n\s*(\w+): (\d+),/g,
    ).map(([words, name, number]) => [name, number, words]);
    // The one description that has a reason to differ: each side names the constant of its own language.
    const inOneLanguage = (rows: (string | undefined)[][]) =>
      rows.map((row) => row.map((cell) => cell?.replace("{@link NO_ALARM}", "the largest number for no alarm")));
    expect(rust.length).toBeGreaterThanOrEqual(11);
    expect(inOneLanguage(typescript)).toEqual(inOneLanguage(rust));
  });

  test("every command is read, and every command that is written has a number", () => {
    const numbers = matches(between(rustWords, "mod op {", "\n}"), /const (\w+): u32 = (\d+);/g);
    const commands = read("pkg-template/src/runtime/command-queue.ts");
    for (const name of Object.keys(table(numbers))) {
      // The usual one has a function to itself.
      if (name !== "NEXT") expect(commands, `command-queue.ts should read ${name}`).toContain(`case op.${name}:`);
      const written = new RegExp(`(?:write\\(|extend\\(|= )\\[op::${name}\\b`);
      expect(rustWords + rustReplies, `Rust should write ${name}`).toMatch(written);
    }
  });

  test("outcomes have the same numbers", () => {
    const rust = table(matches(between(rustWords, "mod outcome {", "\n}"), /pub\(super\) const (\w+): u32 = (\d+);/g));
    const typescript = table(
      matches(between(typescriptWords, "export const outcome = {", "} as const"), /(\w+): (\d+)/g),
    );
    expect(Object.keys(rust)).toHaveLength(6);
    expect(typescript).toEqual(rust);
  });

  test("kinds of records have the same numbers", () => {
    const rust = matches(between(read("src/engine/trace.rs"), "pub enum TraceKind {", "\n}"), /(\w+) = (\d+),/g);
    const typescript = matches(
      between(typescriptWords, "export const traceKinds = [", "] as const"),
      /"(step|event|run)\.(\w+)"/g,
    );
    expect(rust.length).toBeGreaterThanOrEqual(17);
    const names = typescript.map((words) => words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join(""));
    expect(names).toEqual(rust.map(([name]) => name));
    expect(rust.map(([, number]) => Number(number))).toEqual(rust.map((_, nth) => nth));
  });

  test("verdicts have the same numbers", () => {
    const arms = matches(between(rustCalls, "let verdict = match verdict {", "};"), /(\d+|_) => Verdict::(\w+)/g);
    const rust = Object.fromEntries(arms.map(([number = "", name = ""]) => [upper(name), number]));
    const typescript = matches(between(typescriptWords, "export const verdict = {", "} as const"), /(\w+): (\d+)/g);
    expect(Object.keys(rust).sort()).toEqual(typescript.map(([name]) => name).sort());
    for (const [name = "", number] of typescript) {
      // What Rust takes for anything else must not be taken by another arm.
      if (rust[name] === "_") expect(Object.values(rust)).not.toContain(number);
      else expect(rust[name]).toBe(number);
    }
    expect(new Set(typescript.map(([, number]) => number)).size).toBe(typescript.length);
  });

  test("the roles of event types have the same numbers", () => {
    const arms = matches(between(rustCalls, "let role = match role {", "};"), /(\d+) => Role::(\w+)/g);
    const rust = Object.fromEntries(arms.map(([number = "", name]) => [`${name}Event`, number]));
    const typescript = matches(between(plan, "roles ??= new Map", "]);"), /\[(\w+), (\d+)\]/g);
    expect(Object.keys(rust)).toHaveLength(5);
    expect(Object.fromEntries(typescript.map(([name, role]) => [name, role]))).toEqual(rust);
  });

  test("the mark of an answer that ends the run is the same, and no error's number", () => {
    const rust = /const SETTLED: u32 = (\d+);/.exec(rustWords)?.[1];
    const typescript = /export const SETTLED = (\d+);/.exec(typescriptWords)?.[1];
    expect(rust).toBeDefined();
    expect(typescript).toBe(rust);
    const errors = matches(read("pkg-template/src/errors/codes.ts"), /number: (\d+)/g).map(([number]) => number);
    expect(errors.length).toBeGreaterThan(30);
    expect(errors).not.toContain(rust);
  });

  test("the outside, the missing alarm and the missing slot are the largest number", () => {
    // What comes out is read as signed numbers.
    for (const name of ["NO_ALARM", "NO_SLOT"]) {
      expect(typescriptWords).toMatch(new RegExp(`export const ${name} = -1;`));
    }
    expect(typescriptWords).toContain("export const OUTSIDE = 0xffff_ffff;");
    expect(rustCalls).toContain("index != u32::MAX");
    expect(rustWords).toMatch(/const NONE: u32 = u32::MAX;/);
  });
});

describe("the words of the calls of models", () => {
  const rust = read("src/wasm/llm.rs");
  const typescript = read("pkg-template/src/llm/internal/call-view.ts");
  const numbers = (text: string, form: RegExp) => table(matches(text, form));

  test("flags have the same numbers, and each is applied", () => {
    const flags = numbers(between(rust, "mod flag {", "\n}"), /const (\w+): u32 = (\d+);/g);
    expect(Object.keys(flags).length).toBeGreaterThanOrEqual(7);
    expect(numbers(between(typescript, "export const flag = {", "} as const"), /(\w+): (\d+)/g)).toEqual(flags);
    const driver = read("pkg-template/src/llm/internal/call-driver.ts");
    for (const name of Object.keys(flags)) expect(driver).toMatch(new RegExp(`\\bflag\\.${name}\\b`));
  });

  test("every word of the call view has the same position on both sides", () => {
    const positions = numbers(between(rust, "mod view {", "\n}"), /const (\w+): usize = (\d+);/g);
    const { WORDS, ...read } = positions;
    expect(Object.keys(read).length).toBeGreaterThanOrEqual(9);
    expect(Math.max(...Object.values(read))).toBeLessThan(WORDS ?? 0);
    expect(numbers(between(typescript, "const view = {", "} as const"), /(\w+): (\d+)/g)).toEqual(read);
  });
});

describe("the functions of the modules", () => {
  test("all that the boundaries export are used, and no others", () => {
    const exported = matches(
      rustCalls + read("src/wasm/llm.rs"),
      /#\[wasm_bindgen\]\n(?:#\[.*\n)*pub fn (\w+)/g,
    ).flat();
    const sources = readdirSync(path.join(root, "pkg-template/src"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => read(`pkg-template/src/${file}`));
    const call = /\b(?:graph|engine|snapshot|journal|replay|call)_[a-z]+(?:_[a-z]+)*\b/g;
    const used = new Set(sources.flatMap((text) => text.match(call) ?? []));
    expect(exported.length).toBeGreaterThan(10);
    expect([...used].sort()).toEqual([...exported].sort());
  });

  test("the engine imports no JavaScript function, and exports no class", () => {
    const wasm = new WebAssembly.Module(readFileSync(path.join(root, "node_modules/stepstream/stepstream.wasm")));
    // The glue's own preparation of a table that stays empty.
    expect(WebAssembly.Module.imports(wasm).map(({ name }) => name)).toEqual(["__wbindgen_init_externref_table"]);
    const exported = WebAssembly.Module.exports(wasm).map(({ name }) => name);
    expect(exported).toContain("engine_complete");
    // What a class would have been freed by.
    expect(exported.filter((name) => /^__wbg_.*_free$/.test(name))).toEqual([]);
  });

  test("only one file talks to the glue of each module, and one starts instances", () => {
    const folders = ["pkg-template/src", "pkg-template/entry"];
    const files = folders.flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".ts"))
        .map((file) => path.posix.join(folder, file.split(path.sep).join("/"))),
    );
    const imports = (file: string): string[] => matches(read(file), /(?:from|import)\s*\(?\s*"([^"]+)"/g).flat();
    const users = (glue: string): string[] =>
      files.filter((file) => imports(file).some((source) => source.endsWith(`/${glue}_bg.js`)));
    expect(files.length).toBeGreaterThan(20);
    expect(users("stepstream")).toEqual(["pkg-template/src/wasm/engine-module.ts"]);
    expect(users("stepstream-llm")).toEqual(["pkg-template/src/llm/internal/wasm.ts"]);
    const starters = files.filter((file) => /new WebAssembly\.Instance\b/.test(read(file)));
    expect(starters).toEqual(["pkg-template/src/wasm/loader.ts"]);
  });
});

const values = [
  "CancelledError",
  "EngineError",
  "HumanResponseEvent",
  "InputRequiredEvent",
  "LLMError",
  "LifecycleEvent",
  "LimitError",
  "NestedEvent",
  "RecoverError",
  "Replay",
  "RetryPolicy",
  "SnapshotError",
  "StalledError",
  "StartEvent",
  "StepError",
  "StepFailedEvent",
  "StopEvent",
  "StopStrategy",
  "StreamReset",
  "TimeoutError",
  "ValidationError",
  "WaitStrategy",
  "Workflow",
  "WorkflowContext",
  "WorkflowError",
  "WorkflowEvent",
  "collect",
  "decodeEvent",
  "encodeEvent",
  "inspectSnapshot",
  "observe",
  "openSnapshot",
  "retryAll",
  "retryAlways",
  "retryAny",
  "retryIfCauseType",
  "retryIfErrorType",
  "retryIfMessage",
  "retryNever",
  "retryNot",
  "retryPolicy",
  "retryUnlessErrorType",
  "sealSnapshot",
  "step",
  "stopAfterAttempt",
  "stopAfterDelay",
  "stopAll",
  "stopAny",
  "stopBeforeDelay",
  "stopNever",
  "waitChain",
  "waitExponential",
  "waitExponentialJitter",
  "waitFixed",
  "waitFullJitter",
  "waitIncrementing",
  "waitNone",
  "waitRandom",
  "waitSum",
];

describe("the names that the package exports", () => {
  test("are these values", () => {
    expect(Object.keys(stepstream).sort()).toEqual(values);
  });

  // Types as well are in tests/types/api.txt.
  test("are these values, as the declarations say", () => {
    const declarations = read("node_modules/stepstream/index.d.ts");
    const lists = matches(declarations, /^export \{([^}]*)\}/gm).flat();
    const names = lists.flatMap((list) => list.split(",")).map((name) => name.trim());
    expect(names.filter((name) => !name.startsWith("type ")).sort()).toEqual(values);
    expect(declarations).not.toMatch(/^export (?!\{)/m);
  });
});
