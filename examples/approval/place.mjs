// What the two processes share beside the workflow: the store of snapshots, and the key that seals them.
import path from "node:path";
import { fileStore } from "stepstream/stores/file";
import { Airline } from "./airline.mjs";

const { APPROVAL_FOLDER: folder, SNAPSHOT_SECRET: secret } = process.env;
if (folder === undefined || secret === undefined) {
  throw new Error("Set APPROVAL_FOLDER, and SNAPSHOT_SECRET to 16 random characters or more. run.mjs does it for you.");
}

export { secret };
export const store = fileStore(path.join(folder, "snapshots"));
export const say = (text) => console.log(`  process ${process.pid}: ${text}`);

/** The data of the run. It is not in snapshots, so each process passes it to the run. */
export const data = { airline: new Airline(folder), say };
