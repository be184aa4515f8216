// The first use in each runtime, by the program of tests/runtimes that measures it: `own/first-uses.mjs [rounds]`.
import { main } from "../../scripts/lib/say.mjs";
import { firstUses } from "../../tests/runtimes/first-use.mjs";

await main(async () => console.log(JSON.stringify(await firstUses(Number(process.argv[2])))));
