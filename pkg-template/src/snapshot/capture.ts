// A run as bytes, at any moment of its life.

import type { StopEvent } from "../model/events.js";
import type { CapturedEngine } from "../runtime/engine-run.js";
import type { LiveRun } from "../runtime/live-run.js";
import { resetEvent } from "../runtime/reset-event.js";
import {
  type NestedPart,
  type ReturnedPart,
  type RunDocument,
  codecOf,
  writeDocument,
  writeSnapshot,
} from "./document.js";
import { portablePayload } from "./portable-failure.js";

/**
 * The run as bytes.
 *
 * @param options `data`: whether the program's data goes along; `unread`: whether the events do that were published
 * and not read.
 * @throws SnapshotError `SNAPSHOT_VALUE`; EngineError when the engine was lost, and the run with it.
 */
export function capture(
  run: LiveRun,
  { data, unread }: { readonly data: boolean; readonly unread: boolean },
): Uint8Array {
  const { engine, plan, early } = run;
  const { published, stop = run.stop } = engine.pending((...reset) => resetEvent(plan, ...reset));
  const captured = stop === undefined ? captureEngine(run) : undefined;
  const { events, dropped } = unread ? run.stream.unread() : { events: [], dropped: 0 };
  const questions = stop === undefined && run.final === undefined ? run.asked.saved() : undefined;
  const nested = captured === undefined ? [] : nestedParts(run, captured);
  const returned = captured === undefined ? [] : returnedParts(run, captured);
  const received = run.link?.received ?? 0;
  const codec = codecOf(plan, run.definition.types);
  const document: RunDocument = {
    runId: run.runId,
    ...(run.startEvent === undefined || engine.isBegun || stop !== undefined ? {} : { start: run.startEvent }),
    ...(early.length === 0 ? {} : { early }),
    payloads: (captured?.payloads ?? []).map((payload) => portablePayload(payload, codec)),
    unread: [...events, ...published],
    dropped,
    store: run.store.toJSON(),
    ...(stop === undefined ? {} : { stop: stop as StopEvent }),
    ...(nested.length === 0 ? {} : { nested }),
    ...(returned.length === 0 ? {} : { returned }),
    ...(questions === undefined ? {} : { questions }),
    ...(received === 0 ? {} : { received }),
    ...(data ? { data: [run.data] } : {}),
  };
  return writeSnapshot(plan.fingerprint, captured?.image, writeDocument(document, codec, plan));
}

function captureEngine(run: LiveRun): CapturedEngine {
  if (run.final !== undefined) return run.final.engine;
  const { engine } = run;
  const { isOpen } = engine;
  if (!isOpen && engine.isBegun) throw run.error!;
  run.open();
  try {
    return engine.capture();
  } finally {
    if (!isOpen && run.isEnded) engine.close();
  }
}

/** The position of each invocation in the engine's section, by its place in the run. */
function positionsOf({ invocations }: CapturedEngine): Map<number, number> {
  return new Map(invocations.map((index, position) => [index, position]));
}

function nestedParts(run: LiveRun, captured: CapturedEngine): NestedPart[] {
  const positions = positionsOf(captured);
  return (run.final?.nested ?? run.nestedSources()).flatMap(({ index, key, source }) => {
    const invocation = positions.get(index);
    if (invocation === undefined) return [];
    return [
      {
        invocation,
        key,
        snapshot: source instanceof Uint8Array ? source : capture(source as LiveRun, { data: false, unread: true }),
      },
    ];
  });
}

function returnedParts(run: LiveRun, captured: CapturedEngine): ReturnedPart[] {
  const positions = positionsOf(captured);
  return [...run.attempts.held].flatMap(({ invocation: { index }, output }) => {
    const invocation = positions.get(index);
    return invocation === undefined ? [] : [{ invocation, ...(output === undefined ? {} : { output }) }];
  });
}
