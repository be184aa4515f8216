// The words of the engine's answers. Commands are written by src/engine/words.rs, the rest by src/wasm/engine/reply.rs.

/** Commands, and the words that follow each. */
export const op = {
  /** `slot` */
  PUBLISH: 1,
  /** `slot` */
  RELEASE: 2,
  /** `step, index, generation, attempt, count, slot …` */
  INVOKE: 3,
  /** `wait, slot` */
  RESOLVE: 4,
  /** `wait` */
  WAKE: 5,
  /** `wait` */
  EXPIRE: 6,
  /** `index, generation` */
  TIME_OUT: 7,
  /** `delay` in milliseconds, or {@link NO_ALARM} */
  ALARM: 8,
  /** none */
  IDLE: 9,
  /** none */
  BUSY: 10,
  /** `outcome, slot, step` */
  SETTLE: 11,
  /** `step, index, generation, slot, released`: publish, first invoke, release (the largest number for none) */
  NEXT: 12,
  /** `step, attempt` */
  RESET: 13,
  /** none */
  DOZE: 14,
  /** `count, kind, time (2), step, invocation (2), attempt, slot, value (2), input …`: a record; lower halves first */
  TRACE: 15,
} as const;

/** How many words follow each command; an invocation and a record have as many more as they have inputs. */
const words: Readonly<Record<number, number>> = {
  [op.PUBLISH]: 1,
  [op.RELEASE]: 1,
  [op.INVOKE]: 5,
  [op.RESOLVE]: 2,
  [op.WAKE]: 1,
  [op.EXPIRE]: 1,
  [op.TIME_OUT]: 2,
  [op.ALARM]: 1,
  [op.SETTLE]: 3,
  [op.NEXT]: 5,
  [op.RESET]: 2,
  [op.TRACE]: 11,
};

/** The number of words from one command to the next. */
export function commandLength(commands: ArrayLike<number>, at: number): number {
  const command = commands[at]!;
  const more = command === op.INVOKE ? commands[at + 5]! : command === op.TRACE ? commands[at + 1]! : 0;
  return 1 + (words[command] ?? 0) + more;
}

/** What a record of a run's trace is about, by number. The last one only says where a running attempt is. */
export const traceKinds = [
  "step.queued",
  "step.started",
  "step.waiting",
  "step.retrying",
  "step.succeeded",
  "step.failed",
  "step.timedOut",
  "event.sent",
  "event.delivered",
  "event.kept",
  "event.dropped",
  "run.started",
  "run.waiting",
  "run.sleeping",
  "run.woke",
  "run.ended",
  "step.running",
] as const;

/** The condition of a run in a snapshot, as `snapshot_open` gives it. */
export const condition = { CREATED: 0, RUNNING: 1, WAITING: 2, COMPLETED: 3, CANCELLED: 8 } as const;

/**
 * Stands where the length of a reply would: there is none, and the commands stay where they are until the run's next
 * call.
 */
export const OWN = -0x8000_0000;

/** Stands where an error would: no error, but the run ends with this answer. */
export const SETTLED = 255;

/** How a run ended. */
export const outcome = {
  COMPLETED: 0,
  STEP_FAILED: 1,
  TIMED_OUT: 2,
  STALLED: 3,
  LIMIT_REACHED: 4,
  CANCELLED: 5,
} as const;

/** How a nested run holds up the step around it. */
export const hold = { BLOCK: 1, UNBLOCK: 2, DOZE: 3, ROUSE: 4 } as const;

/** What a failed attempt is to come to. */
export const verdict = { POLICY: 0, GIVE_UP: 1, RETRY: 2 } as const;

/** No slot. */
export const NO_SLOT = -1;

/** No list is kept under a number: the run keeps as many as it may. */
export const NO_PATTERN = 0x7fff_ffff;

/** No alarm is needed. */
export const NO_ALARM = -1;

/** The index that stands for the outside as the sender of an event. */
export const OUTSIDE = 0xffff_ffff;
