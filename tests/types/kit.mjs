// What the tests of messages, hovers and declarations share: programs that are compiled beside the type tests, with their settings.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { at, memory } from "../../scripts/lib/paths.mjs";

const installed = (age) => at(`target/compilers/node_modules/typescript-${age}/bin/tsc`);

/** The compilers under test: the project's own, and those that `npm test` installs in target/compilers, where it can. */
export const compilers = {
  project: at("node_modules/typescript/bin/tsc"),
  ...(process.env.STEPSTREAM_NO_COMPILERS === undefined && {
    oldest: installed("oldest"),
    newest: installed("newest"),
  }),
};

const settings = at("tests/types/tsconfig.json");

/** Compiles programs by name with one compiler; resolves with its messages by name, each as its lines. */
export function messagesOf(compiler, programs) {
  const folder = path.join(memory, `messages-${compiler}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }\n');
  writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify({ extends: settings, include: ["*.ts"] }));
  for (const [name, program] of Object.entries(programs)) writeFileSync(path.join(folder, `${name}.ts`), program);
  const { stdout } = spawnSync(process.execPath, [compilers[compiler], "--pretty", "false", "-p", folder], {
    cwd: folder,
    encoding: "utf8",
  });
  const messages = Object.fromEntries(Object.keys(programs).map((name) => [name, []]));
  let last;
  for (const line of stdout.split("\n").filter((text) => text.trim() !== "")) {
    const [, name, text] = /^(?:.*\/)?([\w-]+)\.ts\(\d+,\d+\): error TS\d+: (.*)$/.exec(line) ?? [];
    if (name in messages) messages[name].push((last = [text]));
    else if (line.startsWith(" ") && last !== undefined) last.push(line.trim());
    else throw new Error(`The ${compiler} compiler says: ${line}`); // Not about these programs: about the package or the settings.
  }
  return messages;
}

/** The language service over one program, as an editor asks it. */
export function serviceFor(program) {
  const file = at("tests/types/hovered.ts");
  const { options } = ts.getParsedCommandLineOfConfigFile(settings, {}, ts.sys);
  const read = (name) => (name === file ? program : ts.sys.readFile(name));
  const service = ts.createLanguageService({
    getScriptFileNames: () => [file],
    getScriptVersion: () => "1",
    getScriptSnapshot: (name) => {
      const text = read(name);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => at(),
    getCompilationSettings: () => options,
    getDefaultLibFileName: (of) => ts.getDefaultLibFilePath(of),
    fileExists: (name) => name === file || ts.sys.fileExists(name),
    readFile: read,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    readDirectory: ts.sys.readDirectory,
  });
  return { service, file };
}
