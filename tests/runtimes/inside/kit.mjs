// What runners have in common that are programs of their own: how they report, and stores in files.
import path from "node:path";
import { fileStore } from "stepstream/stores/file";

/** Prints reports of a job, a line each. */
export const print = (job) => (report) => console.log(JSON.stringify({ job: job.do, ...report }));

let folders = 0;

/** What the suite may use where there is a file system. */
export const means = ({ folder }) => ({ fileStore: () => fileStore(path.join(folder, String((folders += 1)))) });
