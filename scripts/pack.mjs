// `npm run pack`: builds, packs, and puts the packed package where `import "stepstream"` finds it in this repository.
import { buildAndPack, tarball } from "./lib/build.mjs";
import { withLock } from "./lib/lock.mjs";
import { shown } from "./lib/paths.mjs";
import { main, say } from "./lib/say.mjs";
import { setUpNode } from "./lib/setup.mjs";

await main(() =>
  withLock(async () => {
    await setUpNode();
    const { toolchain } = await buildAndPack();
    say(`${shown(tarball())} is up to date and installed (wasm toolchain: ${toolchain.description}).`);
  }),
);
