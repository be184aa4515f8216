// The past of a run, rebuilt from its journal.

import { checkOptions } from "../errors/check-options.js";
import { RecoverError, ValidationError } from "../errors/errors.js";
import { type LifecycleEvent, type WorkflowEvent, typeName } from "../model/events.js";
import { decodePayload } from "../snapshot/codec/codec.js";
import { codecOf, writeDocument, writeSnapshot } from "../snapshot/document.js";
import { describe } from "../util/describe.js";
import { ask, copyBytes, expectNumber, memoryWords, readReply } from "../wasm/engine-calls.js";
import { EngineResource } from "../wasm/resources.js";
import { asBytes, headerLength } from "../snapshot/header.js";
import type { WorkflowDefinition } from "../runtime/definition.js";
import { readCaptured } from "../runtime/engine-run.js";
import type { JournalRecord } from "../snapshot/journal-writer.js";
import type { NamedType, Plan } from "../runtime/plan.js";
import { LifecycleReader } from "../runtime/lifecycle-reader.js";
import { resetEvent } from "../runtime/reset-event.js";
import { errorOf } from "../runtime/run-outcome.js";
import { engine } from "../wasm/engine-module.js";
import { NO_SLOT, SETTLED, commandLength, op, outcome } from "../wasm/protocol.js";
import { type Store, makeStore } from "../model/store.js";

/** Options of `workflow.replay`. */
export interface ReplayOptions {
  /**
   * Where to stop: after so many ticks, or at the first point where the function says so. Default: the end of the
   * journal.
   */
  readonly until?: (number | ((replay: Replay) => boolean)) | undefined;
  /** Whether the replay has the run's lifecycle events, in `replay.lifecycle`. Default: false. */
  readonly lifecycle?: boolean | undefined;
}

/** An invocation of a step that has not come to its end. */
export interface ReplayedInvocation {
  /** The step's name. */
  readonly step: string;
  /** How many attempts have begun. */
  readonly attempt: number;
  /** The events, one for each input. */
  readonly events: readonly WorkflowEvent[];
}

/** What `replay_look` tells, put into words. */
interface Look {
  readonly status: Replay["status"];
  readonly queue: ReplayedInvocation[];
  readonly inFlight: ReplayedInvocation[];
  readonly joins: { readonly step: string; readonly events: readonly WorkflowEvent[] }[];
  readonly waits: { readonly step: string; readonly event: string }[];
  readonly kept: WorkflowEvent[];
}

/** The records of a journal: the length of what is before the content, and two kinds. */
const record = { HEAD: 12, TICK: 2, NOTE: 3 } as const;

const statuses = ["created", "running", "waiting", "ended", "sleeping"] as const;

let construct: (definition: WorkflowDefinition, journal: unknown, options: ReplayOptions) => Replay;

/** @throws RecoverError */
export function createReplay(definition: WorkflowDefinition, journal: unknown, options: ReplayOptions): Replay {
  return construct(definition, journal, options);
}

/**
 * A run as it was at some point of its past. No step runs here; `next` goes on tick by tick, and `snapshot` gives what
 * `workflow.recover` needs to live on from this point.
 */
export class Replay {
  readonly #definition: WorkflowDefinition;
  readonly #plan: Plan;
  readonly #resource: EngineResource;
  readonly #payloads: unknown[] = [];
  readonly #events: WorkflowEvent[] = [];
  readonly #lifecycle: LifecycleEvent[] = [];
  readonly #reader: LifecycleReader;
  readonly #isTraced: boolean;
  readonly #store = makeStore();
  /** How many notes stand behind each tick; first those before all ticks. */
  readonly #notesBehind: readonly number[];
  /** The last step that the journal gave was its last. */
  #isAtEnd = false;
  #ticks = 0;
  #time = 0;
  #runId = "";
  #stop: WorkflowEvent | undefined;

  private constructor(workflow: unknown, journal: unknown, options: ReplayOptions) {
    const definition = workflow as WorkflowDefinition;
    checkOptions(options, { until: 1, lifecycle: 1 }, "replay");
    const { until } = options;
    this.#isTraced = options.lifecycle === true;
    if (until !== undefined && typeof until !== "function" && !(typeof until === "number" && until >= 0)) {
      throw new ValidationError("INVALID_OPTION", `until is ${describe(until)}.`);
    }
    const bytes = asBytes(journal);
    const { types, steps } = namesIn(bytes);
    this.#definition = definition;
    this.#plan = definition.planOfItsOwn(types, steps);
    this.#plan.enter();
    this.#reader = new LifecycleReader({
      step: (step) => this.#plan.steps[step]!.name,
      type: (type) => typeName(this.#plan.classOf(type)!),
      payload: (slot) => this.#payloads[slot],
    });
    const handle = expectNumber(ask(() => engine().replay_new(this.#plan.graph, bytes, this.#isTraced)));
    this.#resource = new EngineResource(handle, "replay_free").watch(this);
    this.#notesBehind = countNotes(bytes);
    const isThere = (): boolean => (typeof until === "function" ? until(this) : this.#ticks >= (until ?? Infinity));
    while (!isThere() && this.next());
  }

  static {
    construct = (definition, journal, options) => new Replay(definition, journal, options);
  }

  /** Goes on by one tick; false at the end of the journal. @throws RecoverError when the journal is damaged. */
  next(): boolean {
    while (!this.#isAtEnd) {
      if (!this.#advance()) continue;
      // What the store was at a tick is noted behind it; the payloads of the next tick, which come then, do no harm.
      for (let left = this.#notesBehind[this.#ticks] ?? 0; left > 0; left -= 1) this.#advance();
      return true;
    }
    return false;
  }

  /** Goes on by a tick or a note; whether it was a tick. */
  #advance(): boolean {
    const [kind, a, b] = this.#read(ask(() => engine().replay_next(this.#resource.handle)));
    if (kind === 0) {
      this.#isAtEnd = true;
    } else if (kind === 2) {
      this.#note(decodePayload(copyBytes(a!, b!), codecOf(this.#plan, this.#definition.types)) as JournalRecord);
    } else {
      this.#ticks += 1;
      this.#time = (b! * 2 ** 32 + a!) / 1000;
    }
    return kind === 1;
  }

  /** Reads an answer: its reply, with its commands carried out as far as they matter here. */
  #read(pointer: number): number[] {
    const memory = memoryWords();
    const at = pointer >>> 2;
    const [status, replied, commanded] = [memory[at]!, memory[at + 1]!, memory[at + 2]!];
    if (status !== 0 && status !== SETTLED) readReply(pointer);
    const from = at + 3 + replied;
    const reply = [...memory.subarray(at + 3, from)];
    const commands = [...memory.subarray(from, from + commanded)];
    for (let word = 0; word < commands.length; word += commandLength(commands, word)) {
      const payload = this.#payloads[commands[word + 1]!];
      if (commands[word] === op.PUBLISH) this.#events.push(payload as WorkflowEvent);
      if (commands[word] === op.NEXT) {
        this.#events.push(this.#payloads[commands[word + 4]!] as WorkflowEvent);
        // Signed, as {@link NO_SLOT} is.
        const released = commands[word + 5]! | 0;
        if (released !== NO_SLOT) this.#payloads[released] = undefined;
      }
      if (commands[word] === op.RESET) this.#events.push(this.#resetEvent(commands, word));
      if (commands[word] === op.RELEASE) this.#payloads[commands[word + 1]!] = undefined;
      if (commands[word] === op.TRACE) {
        const event = this.#reader.read(commands, word);
        if (event !== undefined) this.#lifecycle.push(event);
      }
      if (commands[word] === op.SETTLE) this.#settle(commands[word + 1]!, commands[word + 2]!);
    }
    return reply;
  }

  /** The run has ended; `how` is an {@link outcome}. */
  #settle(how: number, slot: number): void {
    const event = this.#payloads[slot] as WorkflowEvent;
    if (how === outcome.COMPLETED) this.#stop = event;
    if (!this.#isTraced) return;
    const error = how === outcome.COMPLETED ? undefined : errorOf(how, event);
    const ending = error === undefined ? "completed" : how === outcome.CANCELLED ? "cancelled" : "failed";
    this.#lifecycle.push(this.#reader.end(ending, error, 0));
  }

  /** The event of a reset, which stands before the invocation that begins again. */
  #resetEvent(commands: readonly number[], at: number): WorkflowEvent {
    const invoke = at + commandLength(commands, at);
    const slots = commands.slice(invoke + 6, invoke + commandLength(commands, invoke));
    const inputs = slots.map((slot) => this.#payloads[slot] as WorkflowEvent);
    return resetEvent(this.#plan, commands[at + 1]!, commands[at + 2]!, inputs);
  }

  #note(note: JournalRecord): void {
    if ("run" in note) this.#runId = note.run;
    else if ("slot" in note) this.#payloads[note.slot] = note.payload;
    else if ("event" in note) this.#events.push(note.event);
    else if (note.isGone === true) this.#store.delete(note.key);
    else this.#store.set(note.key, note.value);
  }

  /** How many ticks were replayed. */
  get ticks(): number {
    return this.#ticks;
  }

  /** How long the run had been alive, in seconds. */
  get time(): number {
    return this.#time;
  }

  /** The run's id. */
  get runId(): string {
    return this.#runId;
  }

  /** Where the run was; `ended` for any end. */
  get status(): "created" | "running" | "sleeping" | "waiting" | "ended" {
    return this.#look().status;
  }

  /** The result, if the run had completed. */
  get result(): unknown {
    return this.#stop?.data;
  }

  /** The events that had been published so far. */
  get events(): readonly WorkflowEvent[] {
    return this.#events;
  }

  /**
   * What had happened so far, as `observe` reports it to an observer of the run who was there from its beginning, if
   * the replay was made with `lifecycle: true`; otherwise none. A journal has what the run's engine was told. So it
   * does not have the end of a run that was cancelled, nor what happened in nested runs, and an error that does not
   * come from a step has its general message.
   */
  get lifecycle(): readonly LifecycleEvent[] {
    return this.#lifecycle;
  }

  /** The run's store, as it was. */
  get store(): Store {
    return this.#store;
  }

  /** Invocations that waited for a worker or for their next attempt. */
  get queue(): readonly ReplayedInvocation[] {
    return this.#look().queue;
  }

  /** Invocations that were running. */
  get inFlight(): readonly ReplayedInvocation[] {
    return this.#look().inFlight;
  }

  /** Joins that had some of their events and not all. */
  get joins(): readonly { readonly step: string; readonly events: readonly WorkflowEvent[] }[] {
    return this.#look().joins;
  }

  /** Waits that were open: the step that waited, and the type name of the event. */
  get waits(): readonly { readonly step: string; readonly event: string }[] {
    return this.#look().waits;
  }

  /** Events that no step takes, kept for a later wait. */
  get kept(): readonly WorkflowEvent[] {
    return this.#look().kept;
  }

  #look(): Look {
    const words = ask(() => readReply(engine().replay_look(this.#resource.handle)));
    let at = 0;
    const number = (): number => words[at++]!;
    const list = <Member>(member: () => Member): Member[] => Array.from({ length: number() }, member);
    const event = (): WorkflowEvent => this.#payloads[number()] as WorkflowEvent;
    const step = (): string => this.#plan.steps[number()]!.name;
    const status = statuses[number()]!;
    const invocations = list(() => {
      const invocation = { step: step(), attempt: number() };
      return { isRunning: number() === 1, invocation: { ...invocation, events: list(event) } };
    });
    const of = (isRunning: boolean): ReplayedInvocation[] =>
      invocations.flatMap((member) => (member.isRunning === isRunning ? [member.invocation] : []));
    return {
      status,
      queue: of(false),
      inFlight: of(true),
      joins: list(() => ({ step: step(), events: list(event) })),
      waits: list(() => ({ step: step(), event: typeName(this.#plan.classOf(number())!) })),
      kept: list(event),
    };
  }

  /**
   * A snapshot of the run as it was at this point. Nested runs that were under way begin again, and there are no unread
   * events.
   *
   * @throws RecoverError `SNAPSHOT_FORMAT` when the journal has not begun the run yet.
   */
  snapshot(): Uint8Array {
    if (this.#ticks === 0)
      throw new RecoverError("SNAPSHOT_FORMAT", "The run has not begun at this point of the journal.");
    const words = ask(() => readReply(engine().replay_capture(this.#resource.handle)));
    const { image, payloads } = readCaptured(words, this.#payloads);
    const stop = this.#stop === undefined ? {} : { stop: this.#stop };
    const rest = { unread: [], dropped: 0, store: this.#store.toJSON() };
    const document = { runId: this.#runId, payloads: this.#stop === undefined ? payloads : [], ...rest, ...stop };
    const codec = codecOf(this.#plan, this.#definition.types);
    const host = writeDocument(document as never, codec, this.#plan);
    return writeSnapshot(this.#plan.fingerprint, this.#stop === undefined ? image : undefined, host);
  }

  /** Frees what the replay holds in the engine. */
  dispose(): void {
    this.#resource.free();
    this.#plan.leave();
  }
}

/** The event types and steps of the run that a journal is of, in the order of their numbers. */
function namesIn(bytes: Uint8Array): { readonly types: NamedType[]; readonly steps: string[] } {
  const [address = 0, typeCount = 0, stepCount = 0, ...words] = ask(() => readReply(engine().journal_names(bytes)));
  const decoder = new TextDecoder();
  let at = address;
  const text = (length: number): string => {
    at += length;
    return decoder.decode(copyBytes(at - length, length));
  };
  const types: NamedType[] = [];
  for (let nth = 0; nth < typeCount; nth += 1) {
    const name = text(words[2 * nth]!);
    types.push({ name, parent: types[words[2 * nth + 1]! - 1]?.name });
  }
  return { types, steps: Array.from({ length: stepCount }, (_, nth) => text(words[2 * typeCount + nth]!)) };
}

/**
 * How many notes there are before the first tick of a journal, and behind each. The engine has checked the records, or
 * will refuse them.
 */
function countNotes(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const counts = [0];
  for (let at = headerLength; at + record.HEAD < bytes.length; at += record.HEAD + view.getUint32(at, true)) {
    const kind = bytes[at + record.HEAD];
    if (kind === record.TICK) counts.push(0);
    if (kind === record.NOTE) counts[counts.length - 1]! += 1;
  }
  return counts;
}
