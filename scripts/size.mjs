// `npm run size`: what each entry of the built package weighs. `npm test` holds the same numbers against the budget.
import { buildAndPack } from "./lib/build.mjs";
import { withLock } from "./lib/lock.mjs";
import { installed } from "./lib/paths.mjs";
import { main, say } from "./lib/say.mjs";
import { setUpNode } from "./lib/setup.mjs";
import { sizes, sizeTable } from "./lib/size.mjs";

await main(async () => {
  await withLock(async () => {
    await setUpNode();
    await buildAndPack();
  });
  say(sizeTable(sizes(installed)));
});
