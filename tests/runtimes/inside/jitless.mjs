// Tries to use the package in a Node that has no WebAssembly.
import { print } from "./kit.mjs";
import { perform } from "../suite/job.js";

const job = { do: "refused" };
if (typeof WebAssembly !== "undefined")
  throw new Error("There is a WebAssembly: this Node must be started with --jitless.");
await perform(job, print(job));
