// The entry of bundles for Node: takes its input as JSON from the command line and prints what happened.
import { exercise } from "./exercise.js";

const outcome = await exercise(JSON.parse(process.argv[2]));
console.log(JSON.stringify(outcome));
