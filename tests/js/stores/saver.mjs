// A process of its own that saves snapshots as fast as it can: `saver.mjs <directory> <first> <step> <last> <bytes>` saves the
// sequences first, first + step, … up to last, and prints one line for each that was refused. All bytes behind a header are the
// sequence's last byte, so that a reader sees whether they belong together.
import { fileStore } from "stepstream/stores/file";

const [directory, ...numbers] = process.argv.slice(2);
const [first, step, last, size] = numbers.map(Number);
const store = fileStore(directory);

for (let sequence = first; sequence <= last; sequence += step) {
  const bytes = new Uint8Array(24 + size).fill(sequence, 24);
  bytes.set([0x53, 0x54, 0x45, 0x50, 0x53, 1]);
  new DataView(bytes.buffer).setBigUint64(16, BigInt(sequence), true);
  try {
    await store.save("run", bytes);
  } catch (error) {
    if (error.code !== "SNAPSHOT_STALE") throw error;
    console.log(sequence);
  }
}
