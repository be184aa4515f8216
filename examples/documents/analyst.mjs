// What a thread of the pool runs: a section in, its analysis out.
import { parentPort } from "node:worker_threads";
import { analyse } from "./analysis.mjs";

parentPort.on("message", (section) => parentPort.postMessage(analyse(section)));
