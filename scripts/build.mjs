// `npm run build`: makes pkg/, the npm package, from the sources.
import { buildPackage } from "./lib/build.mjs";
import { withLock } from "./lib/lock.mjs";
import { main, say } from "./lib/say.mjs";
import { setUpNode } from "./lib/setup.mjs";

await main(() =>
  withLock(async () => {
    await setUpNode();
    const { toolchain } = await buildPackage();
    say(`pkg/ is up to date (wasm toolchain: ${toolchain.description}).`);
  }),
);
