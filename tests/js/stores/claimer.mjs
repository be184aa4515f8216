// A process of its own that claims the run "run" in a folder: `claimer.mjs <directory> <lease in seconds> <what>`. It
// prints what happens, a line each. With "hold" it saves every sequence from 1 on, as fast as it can; with a number it
// takes that many turns, in each of which it is alone with a file that no one else may have made.
import { open, unlink } from "node:fs/promises";
import path from "node:path";
import { fileStore } from "stepstream/stores/file";

const [directory, lease, what] = process.argv.slice(2);
const store = fileStore(directory);
const claim = () => store.claim("run", { wait: null, lease: Number(lease) });

function snapshotOf(sequence) {
  const bytes = new Uint8Array(1000).fill(sequence, 24);
  bytes.set([0x53, 0x54, 0x45, 0x50, 0x53, 1]);
  new DataView(bytes.buffer).setBigUint64(16, BigInt(sequence), true);
  return bytes;
}

const sequenceOf = (bytes) =>
  bytes === undefined ? 0 : Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(16, true));

async function hold() {
  const held = await claim();
  held.lost.addEventListener("abort", () => console.log(`lost ${held.lost.reason.code}`));
  console.log(`claimed ${held.epoch}`);
  for (let sequence = sequenceOf(held.snapshot) + 1; ; sequence += 1) {
    try {
      await held.save(snapshotOf(sequence));
    } catch (error) {
      console.log(`refused ${error.code}`);
      return;
    }
    if (sequence === 3) console.log("saving");
  }
}

async function takeTurns(count) {
  const marker = path.join(directory, "..", "alone");
  for (let turn = 0; turn < count; turn += 1) {
    const held = await claim();
    await (await open(marker, "wx")).close();
    await held.save(snapshotOf(sequenceOf(held.snapshot) + 1));
    await unlink(marker);
    await held.release();
  }
  console.log("done");
}

await (what === "hold" ? hold() : takeTurns(Number(what)));
