// The documents: each program in them runs on the packed package and prints what the document says it prints, links
// lead somewhere, and lines have a readable length. A ```js or ```ts block is followed by a ```text block with its
// output, or is marked `not-run`; the TypeScript ones are type-checked as well.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startProvider } from "./provider.ts";
import { complaints, root, run, snippetsOf, writeDown } from "./snippets.ts";

const read = (name: string): string => readFileSync(path.join(root, name), "utf8");
const folder = readdirSync(path.join(root, "docs")).filter((name) => name.endsWith(".md"));
const names = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "BENCHMARKS.md",
  "examples/README.md",
  "pkg-template/README.md",
  ...folder.map((name) => `docs/${name}`),
];

const documents = names.map((name) => {
  const snippets = snippetsOf(name);
  const files = writeDown(snippets, name.replaceAll(/\W/g, "-"));
  return { name, snippets: snippets.map((snippet, nth) => ({ ...snippet, file: files[nth]! })) };
});
const withPrograms = documents.filter(({ snippets }) => snippets.length > 0);

let provider: Awaited<ReturnType<typeof startProvider>>;
beforeAll(async () => {
  provider = await startProvider();
});
afterAll(() => provider.stop());

test("the guides have programs", () => {
  const guides = withPrograms.map(({ name }) => name);
  expect(guides).toEqual(
    expect.arrayContaining(["README.md", "pkg-template/README.md", "docs/llm.md", "docs/agents.md"]),
  );
});

describe.each(withPrograms)("the programs of $name", ({ snippets }) => {
  test("have an output or are marked as not to be run", () => {
    expect(snippets.filter(({ output, isExempt }) => (output === undefined) !== isExempt)).toEqual([]);
  });

  const runnable = snippets.filter(({ isExempt }) => !isExempt);
  test.each(runnable)("line $line prints what it should", async ({ file, output }) => {
    expect(await run(file, provider.env)).toBe(output);
  });
});

test("the strict compiler accepts the programs in TypeScript", () => {
  const files = documents.flatMap(({ snippets }) => snippets.map(({ file }) => file));
  expect(complaints(files.filter((file) => file.endsWith(".mts")))).toEqual([]);
});

test("the README's first program is examples/hello.mjs", () => {
  const hello = read("examples/hello.mjs");
  // The file opens with a line that says what it is for.
  expect(snippetsOf("README.md")[0]!.code).toBe(hello.slice(hello.indexOf("\n") + 1));
});

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf(name: string): string[] {
  const headings = read(name)
    .replaceAll(/^```[\s\S]*?^```$/gm, "")
    .matchAll(/^#+ (.*)$/gm);
  const plain = (heading: string): string => heading.replaceAll(/[^\p{L}\p{N}\s_-]/gu, "");
  return [...headings].map(([, heading]) => plain(heading!.trim()).toLowerCase().replaceAll(" ", "-"));
}

/** The parts of BENCHMARKS.md that programs write. */
const written = /^<!-- (?:results: )?written by[\s\S]*?^<!-- end(?: of results)? -->$/gm;

describe.each(names)("%s", (name) => {
  const prose = read(name).replaceAll(/^```[\s\S]*?^```$/gm, "");

  test("links to what exists", () => {
    const links = [...prose.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)];
    const broken = links.filter(([, file = "", anchor]) => {
      const target = file === "" ? name : path.join(path.dirname(name), file);
      if (!existsSync(path.join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(target).includes(anchor);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  test("has lines of at most 120 columns outside of tables", () => {
    const long = prose
      .replaceAll(written, "")
      .split("\n")
      .filter((line) => line.length > 120 && !line.startsWith("|") && !line.startsWith("<!--"));
    expect(long).toEqual([]);
  });
});
