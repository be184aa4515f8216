// Finds a way to compile Rust to wasm on this machine, or installs one; in this order:
//   1. the target is already there;
//   2. rustup adds it;
//   3. Debian's packages bring a second compiler and the standard library's source, which is built along.
// What was found is remembered, so that a later run only checks that it is still there.
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { must, run, which } from "./command.mjs";
import { recall, remember } from "./stages.mjs";
import { dim, Failure, say } from "./say.mjs";

const TARGET = "wasm32-unknown-unknown";
const OLDEST = [1, 88]; // As rust-version in Cargo.toml says.
const PACKAGES = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];
const WAYS = ["auto", "rustup", "debian"];

// A download that hangs must not hang the set-up: rustup normally needs a few seconds, apt-get a minute or two.
const RUSTUP_LIMIT = 180;
const APT_LIMIT = 900;

const recentEnough = (version) => {
  const [major, minor] = version.split(".").map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
};

/** What a compiler says of itself, or undefined when it does not run. */
async function compiler(rustc) {
  const { code, output } = await run(rustc, ["-vV"]);
  if (code !== 0) return undefined;
  const version = /^release: (\S+)/m.exec(output)?.[1] ?? "0.0";
  return { version, identity: output.trim(), recent: recentEnough(version) };
}

/** The folder that holds the target's standard library, if the compiler on the PATH has it. */
async function installedTarget() {
  const { code, output } = await run("rustc", ["--print", "sysroot"]);
  if (code !== 0) return undefined;
  const folder = path.join(output.trim(), "lib/rustlib", TARGET, "lib");
  const holds = existsSync(folder) && readdirSync(folder).some((name) => /^libstd-.*\.rlib$/.test(name));
  return holds ? folder : undefined;
}

async function fromPath(way) {
  const rustc = await compiler("rustc");
  if (!rustc?.recent || which("cargo") === undefined) return undefined;
  const folder = await installedTarget();
  if (folder === undefined) return undefined;
  return {
    way,
    description: `${TARGET} of rustc ${rustc.version} (${way})`,
    identity: rustc.identity,
    needs: [folder],
    rustc: "rustc",
    cargo: "cargo",
    arguments: [],
    env: {},
  };
}

async function throughRustup() {
  if (which("rustup") === undefined) return undefined;
  const rustc = await compiler("rustc");
  if (rustc !== undefined && !rustc.recent) return undefined; // The target would not help a compiler that is too old.
  say(`Adding ${TARGET} with rustup (at most ${RUSTUP_LIMIT / 60} minutes).`);
  const { code, output, timedOut } = await run("rustup", ["target", "add", TARGET], { limit: RUSTUP_LIMIT });
  if (code !== 0) {
    const reason = output.split("\n").find((line) => line.startsWith("error:")) ?? output.trim().split("\n").at(-1);
    say(dim(timedOut ? "rustup did not finish in time." : `rustup could not: ${reason}`));
    return undefined;
  }
  return fromPath("added with rustup");
}

const debianLinker = () =>
  readdirSync("/usr/bin")
    .filter((name) => /^wasm-ld-\d+$/.test(name))
    .sort((a, b) => Number(b.slice(8)) - Number(a.slice(8)))[0];

/** Debian's compiler, if all that it needs for building the standard library is there. */
async function debianInstalled(reason) {
  if (!existsSync("/usr/bin/cargo") || !existsSync("/usr/bin/rustc")) return undefined;
  const rustc = await compiler("/usr/bin/rustc");
  const linker = debianLinker();
  if (!rustc?.recent || linker === undefined) return undefined;
  const sysroot = (await run("/usr/bin/rustc", ["--print", "sysroot"])).output.trim();
  const source = path.join(sysroot, "lib/rustlib/src/rust/library/std/Cargo.toml");
  if (!existsSync(source)) return undefined;
  return {
    way: "debian",
    description: `Debian's rustc ${rustc.version}, which builds the standard library along (${reason})`,
    identity: `${rustc.identity}\n${linker}`,
    needs: [source, `/usr/bin/${linker}`, "/usr/bin/cargo"],
    rustc: "/usr/bin/rustc",
    cargo: "/usr/bin/cargo",
    arguments: ["-Zbuild-std=std,panic_abort"],
    env: {
      RUSTC_BOOTSTRAP: "1", // -Zbuild-std is not stable; this compiler was made for such builds.
      RUSTC: "/usr/bin/rustc",
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: linker,
    },
  };
}

const byHand = `apt-get update && apt-get install -y --no-install-recommends ${PACKAGES.join(" ")}`;

/** How to run apt-get here without being asked for a password; undefined when there is none, or no right to. */
async function aptGet() {
  if (which("apt-get") === undefined) return undefined;
  if (process.getuid?.() === 0) return ["apt-get"];
  const allowed = which("sudo") !== undefined && (await run("sudo", ["-n", "true"], { limit: 20 })).code === 0;
  return allowed ? ["sudo", "-n", "--preserve-env=DEBIAN_FRONTEND", "apt-get"] : undefined;
}

/** Installs Debian packages; false when this user may not, or this system has no apt-get. */
export async function installPackages(packages) {
  const command = await aptGet();
  if (command === undefined) return false;
  const [program, ...before] = command;
  const options = { env: { DEBIAN_FRONTEND: "noninteractive" }, limit: APT_LIMIT };
  say(`Installing ${packages.join(" ")} with apt-get.`);
  // A foreign repository that fails to update must not stop us: what counts is whether install succeeds.
  await run(program, [...before, "update"], options);
  const install = [...before, "-o", "DPkg::Lock::Timeout=300", "install", "-y", "--no-install-recommends", ...packages];
  await must(program, install, "Once apt-get works by hand, run this again.", options);
  return true;
}

/** Installs Debian packages that only a part needs: resolves with why that was not possible, or with undefined. */
export async function whyNotInstalled(packages) {
  try {
    if (await installPackages(packages)) return undefined;
    return "and this user cannot install Debian's with apt-get";
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return "and apt-get could not install it";
  }
}

async function throughDebian() {
  const there = await debianInstalled("already installed");
  if (there !== undefined) return there;
  return (await installPackages(PACKAGES)) ? debianInstalled("installed with apt-get") : undefined;
}

async function find(requested) {
  const ways = {
    auto: [() => fromPath("already installed"), throughRustup, throughDebian],
    rustup: [() => fromPath("already installed"), throughRustup],
    debian: [throughDebian],
  };
  for (const way of ways[requested]) {
    const found = await way();
    if (found !== undefined) return found;
  }
  throw new Failure(
    `No way to compile Rust to WebAssembly was found. With rustup: \`rustup target add ${TARGET}\` ` +
      `(and \`rustup update\` if rustc is older than ${OLDEST.join(".")}). On Debian 12 without it, as root: ` +
      `\`${byHand}\`. Then run this again.`,
  );
}

async function stillThere(remembered, requested) {
  if (remembered?.requested !== requested || !remembered.needs.every((file) => existsSync(file))) return false;
  const rustc = await compiler(remembered.rustc);
  return rustc !== undefined && remembered.identity.startsWith(rustc.identity);
}

/** The way to compile to wasm: `{ description, identity, cargo, arguments, env }`. STEPSTREAM_TOOLCHAIN forces one. */
export async function wasmToolchain() {
  const requested = process.env.STEPSTREAM_TOOLCHAIN || "auto";
  if (!WAYS.includes(requested)) {
    throw new Failure(`STEPSTREAM_TOOLCHAIN is "${requested}"; it must be one of ${WAYS.join(", ")}, or be left out.`);
  }
  const remembered = recall("toolchain");
  if (await stillThere(remembered, requested)) return remembered;
  const found = { requested, ...(await find(requested)) };
  remember("toolchain", found);
  return found;
}

/**
 * The cargo for what runs on this machine itself (tests, the glue tool): the one on the PATH, or, where that is
 * missing or too old, Debian's. Native builds also need a C linker, which a bare Debian has not.
 */
export async function nativeCargo() {
  const rustc = await compiler("rustc");
  if (which("cc") === undefined && !(await installPackages(["gcc", "libc6-dev"]))) {
    throw new Failure("Rust needs a C linker: install one (`apt-get install gcc libc6-dev`) and run this again.");
  }
  if (rustc?.recent && which("cargo") !== undefined) return { cargo: "cargo", env: {}, identity: rustc.identity };
  const debian = await throughDebian();
  if (debian !== undefined) return { cargo: debian.cargo, env: { RUSTC: debian.rustc }, identity: debian.identity };
  const have = rustc === undefined ? "No Rust compiler was found" : `rustc ${rustc.version} is too old`;
  throw new Failure(
    `${have}; stepstream needs ${OLDEST.join(".")} or newer. Install it with rustup, or on Debian 12, as root: ` +
      `\`${byHand}\`. Then run this again.`,
  );
}
