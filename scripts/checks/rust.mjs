// The checks of the Rust side. Each resolves with how many of its tests passed, failed and were skipped.
import { run } from "../lib/command.mjs";
import { dim, say } from "../lib/say.mjs";

const PASSED = { passed: 1, failed: 0, skipped: 0 };
const FAILED = { passed: 0, failed: 1, skipped: 0 };
const skip = (reason) => ({ passed: 0, failed: 0, skipped: 1, note: reason });

// Asking rustup for a component must not hold up a machine without a connection.
const RUSTUP_LIMIT = 120;

/** Whether a cargo subcommand is there; asks rustup for it once if it is not. */
async function has(native, subcommand, component) {
  const there = async () => (await run(native.cargo, [subcommand, "--version"], { env: native.env })).code === 0;
  if (await there()) return true;
  if (component === undefined) return false;
  say(dim(`Asking rustup for ${component}.`));
  await run("rustup", ["component", "add", component], { limit: RUSTUP_LIMIT });
  return there();
}

const cargo = (tool, args, env = {}) => run(tool.cargo, args, { show: true, env: { ...tool.env, ...env } });
const verdict = ({ code }) => (code === 0 ? PASSED : FAILED);

export async function formatted({ native }) {
  if (!(await has(native, "fmt", "rustfmt"))) return skip("rustfmt is not installed");
  return verdict(await cargo(native, ["fmt", "--all", "--check"]));
}

export async function clippyNative({ native }) {
  if (!(await has(native, "clippy", "clippy"))) return skip("clippy is not installed");
  return verdict(await cargo(native, ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]));
}

export async function clippyWasm({ native, toolchain, quick }) {
  if (!(await has(native, "clippy", "clippy"))) return skip("clippy is not installed");
  if (toolchain.way === "debian") return skip("Debian's compiler has no clippy of its own");
  const target = ["--target", "wasm32-unknown-unknown"];
  const check = (...features) =>
    cargo(native, ["clippy", "--locked", "-p", "stepstream", ...target, ...features, "--", "-D", "warnings"]);
  const product = verdict(await check());
  return quick ? product : add(product, verdict(await check("--all-features")));
}

const add = (a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped });

/** Sums the result lines of `cargo test`; a run that failed without one (it did not compile) counts as a failure. */
function countCargoTest({ code, output }) {
  let total = { passed: 0, failed: 0, skipped: 0 };
  for (const [, passed, failed, ignored] of output.matchAll(
    /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm,
  )) {
    total = add(total, { passed: Number(passed), failed: Number(failed), skipped: Number(ignored) });
  }
  return code !== 0 && total.failed === 0 ? add(total, FAILED) : total;
}

function countNextest({ code, output }) {
  const summary = output.split("\n").findLast((line) => / tests? run:/.test(line)) ?? "";
  const count = (word) => Number(new RegExp(`(\\d+) ${word}`).exec(summary)?.[1] ?? 0);
  const total = { passed: count("passed"), failed: count("failed") + count("timed out"), skipped: count("skipped") };
  return code !== 0 && total.failed === 0 ? add(total, FAILED) : total;
}

/** Unit, integration and property tests. In the quick run the properties are tried on fewer cases. */
export async function nativeTests({ native, quick }) {
  const env = quick ? { PROPTEST_CASES: "32" } : {};
  if (await has(native, "nextest")) {
    const quiet = ["--status-level", "fail", "--final-status-level", "fail", "--no-fail-fast"];
    return countNextest(await cargo(native, ["nextest", "run", "--locked", ...quiet], env));
  }
  return countCargoTest(await cargo(native, ["test", "--locked", "--no-fail-fast", "--lib", "--tests"], env));
}

/** The examples in the documentation, which nextest does not run. */
export async function documentationTests({ native }) {
  return countCargoTest(await cargo(native, ["test", "--locked", "--doc"]));
}

export async function documentation({ native }) {
  const args = ["doc", "--locked", "--no-deps", "--document-private-items", "-p", "stepstream"];
  return verdict(await cargo(native, args, { RUSTDOCFLAGS: "-D warnings" }));
}
