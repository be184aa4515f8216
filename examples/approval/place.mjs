// What the two processes have in common beside the workflow: where snapshots are kept, and the key they are sealed with.
import path from "node:path";
import { fileStore } from "stepstream/stores/file";
import { Airline } from "./airline.mjs";

const { APPROVAL_FOLDER: folder, SNAPSHOT_SECRET: secret } = process.env;
if (folder === undefined || secret === undefined) {
  throw new Error("Set APPROVAL_FOLDER, and SNAPSHOT_SECRET to 16 random characters or more; run.mjs does it for you.");
}

export { secret };
export const store = fileStore(path.join(folder, "snapshots"));
export const say = (text) => console.log(`  process ${process.pid}: ${text}`);

/** The run's data: what cannot be in a snapshot, and is given to the run anew in every process. */
export const data = { airline: new Airline(folder), say };
