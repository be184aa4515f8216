// The examples in the package's docstrings, which editors show: each is code, formatted like the code around it.
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { format } from "prettier";
import { expect, test } from "vitest";
import { root } from "./snippets.ts";

const WIDTH = 120;
const folder = path.join(root, "pkg-template/src");

/** The examples of a file, with the width that the comment leaves to each. */
function examplesIn(text: string): { readonly code: string; readonly printWidth: number }[] {
  return [...text.matchAll(/^( *)\* ```(?:ts|js)\n([\s\S]*?)^\1\* ```$/gm)].map(([, indent, lines]) => ({
    // A decorator is escaped, because it would be a tag of the docstring.
    code: lines!.replaceAll(/^ *\* ?/gm, "").replaceAll("\\@", "@"),
    printWidth: WIDTH - indent!.length - 2,
  }));
}

const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => ({ name, examples: examplesIn(readFileSync(path.join(folder, name), "utf8")) }))
  .filter(({ examples }) => examples.length > 0);

test("there are examples", () => {
  expect(files.length).toBeGreaterThan(10);
});

test.each(files)("the examples in $name are formatted", async ({ examples }) => {
  for (const { code, printWidth } of examples) {
    expect(await format(code, { parser: "typescript", printWidth })).toBe(code);
  }
});
