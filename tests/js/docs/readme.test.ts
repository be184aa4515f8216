// The programs in the documents: each runs on the packed package and prints what the document says it prints. A ```js or ```ts
// block is followed by a ```text block with its output, or is marked `not-run`; the TypeScript ones are type-checked as well.
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { complaints, root, run, snippetsOf, writeDown } from "./snippets.ts";

const documents = ["README.md", "pkg-template/README.md", "docs/llm.md"].map((name) => {
  const snippets = snippetsOf(name);
  const files = writeDown(snippets, name.replaceAll(/\W/g, "-"));
  return { name, snippets: snippets.map((snippet, nth) => ({ ...snippet, file: files[nth]! })) };
});

describe.each(documents)("$name", ({ snippets }) => {
  test("has programs, each with its output or marked as not to be run", () => {
    expect(snippets.length).toBeGreaterThan(0);
    expect(snippets.filter(({ output, isExempt }) => (output === undefined) !== isExempt)).toEqual([]);
  });

  const runnable = snippets.filter(({ isExempt }) => !isExempt);
  test.each(runnable)("the program in line $line prints what it should", async ({ file, output }) => {
    expect(await run(file)).toBe(output);
  });
});

test("the strict compiler accepts the programs in TypeScript", () => {
  const files = documents.flatMap(({ snippets }) => snippets.map(({ file }) => file));
  expect(complaints(files.filter((file) => file.endsWith(".mts")))).toEqual([]);
}, 60_000);

test("the README's first program is examples/hello.mjs", () => {
  const hello = readFileSync(path.join(root, "examples/hello.mjs"), "utf8");
  // The file opens with a line that says what it is for.
  expect(snippetsOf("README.md")[0]!.code).toBe(hello.slice(hello.indexOf("\n") + 1));
});
