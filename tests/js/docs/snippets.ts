// The code in a Markdown file, and what running it prints.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

export const root = path.resolve(import.meta.dirname, "../../..");

/** A fenced block of JavaScript or TypeScript. */
export interface Snippet {
  readonly language: "js" | "ts";
  /** Where it begins, counted from 1. */
  readonly line: number;
  readonly code: string;
  /** What it prints, if a ```text block follows; it is run then. */
  readonly output: string | undefined;
  /** Marked `not-run` behind the language: for programs that need what a test has not. */
  readonly isExempt: boolean;
}

/** All the snippets of a file. */
export function snippetsOf(file: string): Snippet[] {
  const text = readFileSync(path.join(root, file), "utf8");
  const fences = [...text.matchAll(/^```(\w*)([^\n]*)\n([\s\S]*?)^```$/gm)];
  return fences.flatMap(([all, language, marks, code], nth) => {
    if (language !== "js" && language !== "ts") return [];
    const index = fences[nth]!.index;
    const next = fences[nth + 1];
    // Only blank lines may stand between a program and its output.
    const isFollowed = next?.[1] === "text" && text.slice(index + all.length, next.index).trim() === "";
    const line = text.slice(0, index).split("\n").length;
    return [
      { language, line, code: code!, output: isFollowed ? next[3]! : undefined, isExempt: marks!.trim() === "not-run" },
    ];
  });
}

/** Writes snippets where `import "stepstream"` finds the packed package; returns the files. */
export function writeDown(snippets: readonly Snippet[], name: string): string[] {
  const folder = path.join(root, "node_modules/.cache/stepstream/snippets", name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return snippets.map(({ code, language, line }) => {
    const file = path.join(folder, `line-${line}.m${language}`);
    writeFileSync(file, code);
    return file;
  });
}

/** What the compiler says of TypeScript files, as strictly as users may ask for. */
export function complaints(files: readonly string[]): string[] {
  const program = ts.createProgram([...files], {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    // The type tests check the declarations themselves.
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    lib: [
      "lib.es2022.d.ts",
      "lib.esnext.disposable.d.ts",
      "lib.esnext.decorators.d.ts",
      "lib.dom.d.ts",
      "lib.dom.asynciterable.d.ts",
    ],
    module: ts.ModuleKind.NodeNext,
    moduleDetection: ts.ModuleDetectionKind.Force,
    types: ["node"],
    typeRoots: [path.join(root, "node_modules/@types")],
  });
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const where =
      file === undefined
        ? ""
        : `${path.basename(file.fileName)}:${file.getLineAndCharacterOfPosition(start!).line + 1}`;
    return `${where}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}

/** Runs a file as a program of its own, with these variables, and resolves with everything that it printed. */
export function run(file: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  let program = file;
  if (file.endsWith(".mts")) {
    program = file.replace(/\.mts$/, ".from-ts.mjs");
    const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
    writeFileSync(program, ts.transpileModule(readFileSync(file, "utf8"), { compilerOptions }).outputText);
  }
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(output) : reject(new Error(`It ended with ${code}:\n${output}`)),
    );
  });
}
