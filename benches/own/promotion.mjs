// What a step of a long chain leaves on the old heap, in bytes.
import stepstream from "../peers/stepstream.mjs";
import { promotedBy } from "../lib/promotion.mjs";

const size = Number(process.argv[2]);

/** Until everything that is made once has been made. */
for (let runs = 0; runs < 20; runs++) await stepstream.chain(5000);
const { bytes, collections } = await promotedBy(() => stepstream.chain(size));
console.log(JSON.stringify({ bytesPerStep: bytes / size, collections }));
