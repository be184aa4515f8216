// What a snapshot costs: of a run with 1,000 pending events of 1 kB each, against encoding the same payloads with the
// payload codec alone; recovering it; and how large the snapshot of an idle run is after a million events.
import { Count, Go, pendingRun, workflow } from "../lib/pending-run.mjs";
import { median } from "../lib/stats.mjs";

const SAMPLES = 40;
const past = Number(process.argv[2]);

const milliseconds = (work) => {
  const samples = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    const start = performance.now();
    work();
    samples.push(performance.now() - start);
  }
  // The first half is warm-up.
  return median(samples.slice(SAMPLES / 2));
};

const { run, encode } = await pendingRun();
const codecMs = milliseconds(encode);
const snapshotMs = milliseconds(() => run.snapshot());
const bytes = run.snapshot();
const recoverMs = milliseconds(() => workflow.recover(bytes));
const again = workflow.recover(bytes);
again.sendEvent(new Go());
if ((await again).data !== "done") throw new Error("the recovered run came to another end");
run.cancel();

const old = workflow.run(past);
// The stream is read, as in a run whose events matter: unread events would be in the snapshot.
const reading = (async () => {
  for await (const event of old) if (event instanceof Count && event.data === 0) break;
})();
await reading;
await old.idle();
const idleBytes = old.snapshot().length;
old.cancel();

console.log(
  JSON.stringify({ snapshotMs, codecMs, ratio: snapshotMs / codecMs, recoverMs, kB: bytes.length / 1e3, idleBytes }),
);
