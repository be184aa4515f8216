// `npm run format`: puts every file into the form that `npm test` asks for.
import { must } from "./lib/command.mjs";
import { at } from "./lib/paths.mjs";
import { main } from "./lib/say.mjs";
import { setUpNode } from "./lib/setup.mjs";

await main(async () => {
  await setUpNode();
  await must("cargo", ["fmt", "--all"], "Install rustfmt (`rustup component add rustfmt`).");
  const prettier = [at("node_modules/prettier/bin/prettier.cjs"), "--write", "--log-level=warn", "."];
  await must(process.execPath, prettier, "Mend the syntax error that prettier reports.");
});
