// The declarations that ship: everything in them can be imported or is a known helper, and what is public is what `api.txt` lists. An internal
// name, or an internal member of a public class, changes one of the two. `UPDATE_TABLES=1 node --test tests/types/declarations.test.mjs` writes
// the list anew; read what has changed.
import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import ts from "typescript";
import { at, installed } from "../../scripts/lib/paths.mjs";

const files = readdirSync(installed, { recursive: true })
  .filter((file) => file.endsWith(".d.ts"))
  .map((file) => path.join(installed, file));
const options = { ...ts.getDefaultCompilerOptions(), target: ts.ScriptTarget.ES2022, types: [], strict: true };
const program = ts.createProgram(files, { ...options, moduleResolution: ts.ModuleResolutionKind.Bundler });
const checker = program.getTypeChecker();
const sources = files.map((file) => program.getSourceFile(file));

/** The types of each entry, by its path in package.json. */
const { exports } = JSON.parse(readFileSync(path.join(installed, "package.json"), "utf8"));
const entries = Object.entries(exports)
  .filter(([, { types }]) => types !== undefined)
  .map(([entry, { types }]) => [entry, program.getSourceFile(path.join(installed, types))]);

const resolved = (symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
const exportsOf = (source) => checker.getExportsOfModule(checker.getSymbolAtLocation(source));

/** Every public thing with its name. */
const public_ = new Map(
  entries.flatMap(([, source]) => exportsOf(source).map((symbol) => [resolved(symbol), symbol.name])),
);

/** Types that only serve the compiler: public ones are made of them, and no program needs to name them. */
const HELPERS = [
  "AbstractClass",
  "Address",
  "AsyncDisposeKey",
  "CommonOptions",
  "CommonParameters",
  "DisposeKey",
  "EventArguments",
  "EventsTaken",
  "Fetch",
  "Fits",
  "Flat",
  "Key",
  "MemberAt",
  "PathDepth",
  "PathEnd",
  "ResultCheck",
  "Same",
  "Signal",
  "SignalLike",
  "StartChecks",
  "StartMisfit",
  "StartOf",
  "StopCheck",
  "StopChecks",
  "StopOf",
  "Tools",
  // The interface behind the exported type of the same name.
  "WorkflowContext",
];

/** Keys under which the compiler distinguishes classes; no program can write them. */
const isKey = (symbol) => {
  const [declaration] = symbol.declarations;
  return ts.isVariableDeclaration(declaration) && declaration.type?.getText() === "unique symbol";
};

test("every declaration can be imported, or is a helper of the compiler's", () => {
  const declared = sources
    .flatMap(({ statements }) => statements)
    .flatMap((node) => (ts.isVariableStatement(node) ? node.declarationList.declarations : [node]))
    .filter(({ name }) => name !== undefined && ts.isIdentifier(name))
    .map(({ name }) => checker.getSymbolAtLocation(name));
  const hidden = [...new Set(declared)]
    .filter((symbol) => !public_.has(symbol) && !isKey(symbol))
    .map(({ name }) => name.replace(/\$\d+$/, ""));
  assert.deepEqual([...new Set(hidden)].sort(), HELPERS);
});

/** The members of a class, an interface or an object type, as its users may write them. */
function membersOf(symbol) {
  const named = (members, before) =>
    [...(members ?? new Map()).values()]
      .filter(
        ({ name, flags }) =>
          !(flags & (ts.SymbolFlags.TypeParameter | ts.SymbolFlags.Prototype)) && name !== "__constructor",
      )
      .filter(({ name }) => !name.startsWith("#") && !name.startsWith("__#"))
      // Under a symbol: the well-known ones are for users, others are for the compiler alone.
      .flatMap((member) => {
        const { name } = member;
        if (name.startsWith("__@"))
          return name.startsWith("__@asyncIterator") ? [`${before}[Symbol.asyncIterator]`] : [];
        if (name.startsWith("__")) return [];
        const isProtected = ts.getCombinedModifierFlags(member.declarations[0]) & ts.ModifierFlags.Protected;
        return [`${isProtected ? "protected " : ""}${before}${name}`];
      });
  const literals = symbol.declarations.filter(
    (node) => ts.isTypeAliasDeclaration(node) && ts.isTypeLiteralNode(node.type),
  );
  const literal = literals.map((node) => node.type.symbol.members)[0];
  const isClass = (symbol.flags & ts.SymbolFlags.Class) !== 0;
  return [...named(symbol.members ?? literal, ""), ...(isClass ? named(symbol.exports, "static ") : [])].sort();
}

function kindOf({ flags }) {
  if (flags & ts.SymbolFlags.Class) return "class";
  if (flags & ts.SymbolFlags.Function) return "function";
  if (flags & ts.SymbolFlags.Interface) return "interface";
  return flags & ts.SymbolFlags.TypeAlias ? "type" : "const";
}

function report() {
  const lines = [];
  for (const [entry, source] of entries) {
    const names = exportsOf(source).map(({ name }) => name);
    lines.push(`${path.posix.join("stepstream", entry)}: ${names.sort().join(", ")}`, "");
  }
  const described = [...public_].filter(([, name]) => name !== "default").sort(([, a], [, b]) => (a < b ? -1 : 1));
  for (const [symbol, name] of described) {
    const members = membersOf(symbol);
    lines.push(`${kindOf(symbol)} ${name}${members.length === 0 ? "" : `: ${members.join(", ")}`}`);
  }
  return `${lines.join("\n")}\n`;
}

test("what is public is what the list says", () => {
  const list = at("tests/types/api.txt");
  if (process.env.UPDATE_TABLES !== undefined) writeFileSync(list, report());
  assert.deepEqual(report().split("\n"), readFileSync(list, "utf8").split("\n"));
});

test("nothing is marked as internal", () => {
  for (const { fileName, text } of sources) assert.ok(!text.includes("@internal"), fileName);
});

test("nothing speaks of what is behind the declarations", () => {
  // The engine's numbers and the glue.
  for (const { fileName, text } of sources) assert.ok(!/\bengine_\w+|__wbg_|\bhandle: number/.test(text), fileName);
});

/** Options of others, whose form is not ours; and what the package itself gives, where a field is there or is not. */
const AS_THEY_ARE = new Set(["StandardSchema", "ValidationIssue"]);

test("an option that may be left out may be undefined", () => {
  const refusing = [];
  const visit = (node, within) => {
    const name = ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) ? node.name.text : within;
    if (ts.isPropertySignature(node) && node.questionToken && node.type && !AS_THEY_ARE.has(within)) {
      const parts = ts.isUnionTypeNode(node.type) ? node.type.types : [node.type];
      const takes = parts.some(({ kind }) =>
        [ts.SyntaxKind.UndefinedKeyword, ts.SyntaxKind.UnknownKeyword, ts.SyntaxKind.AnyKeyword].includes(kind),
      );
      // A check of the compiler's, which resolves to unknown when everything fits.
      if (!takes && !ts.isConditionalTypeNode(node.type)) refusing.push(`${within}.${node.name.getText()}`);
    }
    ts.forEachChild(node, (child) => visit(child, name));
  };
  for (const source of sources) visit(source, source.fileName);
  assert.deepEqual(refusing, []);
});
