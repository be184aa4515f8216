// What a store must do in every runtime, and the run that it keeps.

import { SnapshotError, StopEvent } from "stepstream";
import { autosave } from "stepstream/stores";
import { Answer, Question, equal, fails, single, soon } from "./kit.js";

/** Asks, and answers with what it was given; counts what it does once. */
export function asking(effects = []) {
  return single(async ({ once, waitForEvent }, { data }) => {
    const seat = await once("hold", () => (effects.push(data), `seat to ${data}`));
    const answer = await waitForEvent(Answer, { ask: new Question(seat) });
    return new StopEvent(`${seat}: ${answer.data}`);
  });
}

/** A run that waits for its answer, as bytes. */
export async function asked(effects) {
  const run = asking(effects).run("Lisbon");
  await soon(run.idle(), "idle");
  const bytes = run.snapshot();
  run.cancel();
  await run.catch(() => {});
  return bytes;
}

export async function answered(bytes, workflow = asking()) {
  const run = workflow.recover(bytes);
  run.sendEvent(new Answer("yes"));
  return (await soon(run, "the recovered run")).data;
}

/** What every store must do. */
export async function keeps(store) {
  const early = await asked();
  const id = `run/ÿ ${Math.random()}`;
  await store.save(id, early);
  equal(await store.load(id), early);
  equal(await store.list("run/"), [id]);
  const run = asking().recover(early);
  run.sendEvent(new Answer("yes"));
  await soon(run);
  await store.save(id, run.snapshot());
  await fails(store.save(id, early), SnapshotError, "SNAPSHOT_STALE");
  equal((await soon(asking().recover(await store.load(id)))).data, "seat to Lisbon: yes");
  equal([await store.delete(id), await store.delete(id), await store.load(id)], [true, false, undefined]);
  // One holder at a time, and the run is saved while it goes on.
  const claim = await store.claim(id);
  equal(await store.claim(id, { wait: 0.01 }), undefined);
  const claimed = single(() => new StopEvent("saved")).run(undefined, undefined, { runId: id });
  const saving = autosave(claimed, claim);
  await soon(claimed);
  await soon(saving.flush());
  const waiting = store.claim(id, { wait: null });
  await claim.release();
  const next = await soon(waiting);
  equal([next.epoch, next.lost.aborted], [claim.epoch + 1, false]);
  equal((await soon(single(() => {}).recover(next.snapshot))).data, "saved");
  await fails(claim.save(next.snapshot), SnapshotError, "CLAIM_RELEASED");
  await next.delete();
  await next.release();
  equal(await store.list("run/"), []);
}
