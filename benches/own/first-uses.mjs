// The first use in each runtime, by the program of tests/runtimes that measures it: `own/first-uses.mjs [rounds]`.
import { firstUses } from "../../tests/runtimes/first-use.mjs";

console.log(JSON.stringify(await firstUses(Number(process.argv[2]))));
