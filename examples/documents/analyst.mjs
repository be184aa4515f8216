// The program of a thread: it receives a section and replies with the analysis.
import { parentPort } from "node:worker_threads";
import { analyse } from "./analysis.mjs";

parentPort.on("message", (section) => parentPort.postMessage(analyse(section)));
