// A run as bytes, at any moment of its life, and what is kept for that when it has failed.

import type { StopEvent } from "../events.js";
import { type NestedPart, type RunDocument, writeDocument, writeSnapshot } from "./document.js";
import type { FrozenEngine } from "./line.js";
import type { Run } from "./run.js";
import type { NestedRuns } from "./thaw.js";

/** Where the snapshot of a nested run comes from. */
interface NestedSource {
  /** The place of the invocation that started it. */
  readonly index: number;
  readonly key: string;
  readonly snapshot: () => Uint8Array;
}

/** What a run that failed or was cancelled leaves for snapshots. */
export interface Remains {
  readonly engine: FrozenEngine;
  readonly nested: readonly NestedSource[];
}

/** The run as bytes. @throws SnapshotError `SNAPSHOT_VALUE`; EngineError when the engine was lost, and the run with it. */
export function snapshotOf(run: Run, withData: boolean): Uint8Array {
  const { line, plan } = run;
  const { published, stop = run.stop } = line.queued(plan);
  const frozen = stop === undefined ? freeze(run) : undefined;
  const { events, dropped } = run.stream.unread();
  const nested = frozen === undefined ? [] : nestedParts(run, frozen);
  const received = run.tie?.received ?? 0;
  const document: RunDocument = {
    runId: run.runId,
    ...(run.startEvent === undefined || line.isBegun || stop !== undefined ? {} : { start: run.startEvent }),
    ...(run.early === undefined ? {} : { early: run.early }),
    payloads: frozen?.payloads ?? [],
    unread: [...events, ...published],
    dropped,
    store: run.store.toJSON(),
    ...(stop === undefined ? {} : { stop: stop as StopEvent }),
    ...(nested.length === 0 ? {} : { nested }),
    ...(received === 0 ? {} : { received }),
    ...(withData ? { data: [run.data] } : {}),
  };
  return writeSnapshot(plan.fingerprint, frozen?.image, writeDocument(document, run.codec, plan));
}

function freeze(run: Run): FrozenEngine {
  if (run.remains !== undefined) return run.remains.engine;
  const { line } = run;
  const { isOpen } = line;
  if (!isOpen && line.isBegun) throw run.error!;
  run.open();
  try {
    return line.freeze();
  } finally {
    if (!isOpen && run.isEnded) line.close();
  }
}

function nestedParts(run: Run, { invocations }: FrozenEngine): NestedPart[] {
  const positions = new Map(invocations.map((index, position) => [index, position]));
  return (run.remains?.nested ?? nestedSources(run)).flatMap(({ index, key, snapshot }) => {
    const invocation = positions.get(index);
    return invocation === undefined ? [] : [{ invocation, key, snapshot: snapshot() }];
  });
}

/** The nested runs that are under way, and those of an earlier life that were not asked for again yet, by the place of their invocation. */
function nestedSources(run: Run): NestedSource[] {
  const sources: NestedSource[] = [];
  for (const child of run.children ?? []) {
    const { invocation, key } = child.tie!.parent;
    // One that goes on when the step that started it has returned does not survive.
    if (invocation.isSettled || invocation.ended !== undefined) continue;
    sources.push({ index: invocation.index, key, snapshot: () => snapshotOf(child, false) });
  }
  const add = (index: number, runs: NestedRuns | undefined): void => {
    for (const [key, { bytes }] of runs ?? []) sources.push({ index, key, snapshot: () => bytes });
  };
  for (const [index, runs] of run.shelved ?? []) add(index, runs);
  for (const invocation of run.invocations) {
    if (invocation?.nested !== undefined && !invocation.isSettled) add(invocation.index, invocation.nested);
  }
  return sources;
}

/** What a snapshot of a run needs that did not complete; undefined when there cannot be one. */
export function remainsOf(run: Run): Remains | undefined {
  if (!run.line.isOpen) return undefined;
  try {
    return { engine: run.line.freeze(), nested: nestedSources(run) };
  } catch {
    // The engine is gone, and with it the run: there is no snapshot but one that was taken before.
    return undefined;
  }
}
