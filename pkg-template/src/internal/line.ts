// A run's line to the engine: its handle, its clock, the payloads that the engine knows by number, and the queue of
// commands that have come back.

import { EngineError } from "../errors.js";
import type { WorkflowEvent } from "../events.js";
import { EngineResource, ask, engineError, expectNumber, memoryWords } from "./engine.js";
import type { Plan } from "./plan.js";
import { type Engine, engine } from "./wasm.js";
import { SETTLED } from "./words.js";

/** In words. */
const LARGE_QUEUE = 4096;

const clock = (): number => performance.now();

export class Line {
  /** The engine has ended the run; the command that says so may still be behind others. */
  isSettling = false;
  /** The queue of commands: words from `next` to `end`. */
  readonly commands: number[] = [];
  next = 0;
  end = 0;
  handle = 0;
  readonly #isTimed: boolean;
  #resource: EngineResource | undefined;
  #bornAt = 0;
  #slots: (WorkflowEvent | undefined)[] = [];
  #freeSlots: number[] = [];

  constructor(plan: Plan) {
    this.#isTimed = plan.isTimed;
  }

  get isOpen(): boolean {
    return this.#resource !== undefined;
  }

  /** Makes the engine's part of the run. @param owner When it is collected, that part is freed at the latest. */
  open(
    owner: object,
    plan: Plan,
    runId: string,
    timeout: number,
    limits: { readonly steps: number; readonly keptEvents: number },
  ): void {
    const { steps, keptEvents } = limits;
    this.handle = expectNumber(ask(() => engine().engine_new(plan.graph, runId, timeout, steps, keptEvents)));
    this.#resource = new EngineResource(owner, this.handle, "engine_free");
    this.#bornAt = clock();
  }

  /** The engine's functions, as long as this run's part of it is there. */
  engine(): Engine {
    if (this.#resource === undefined || this.#resource.isStale) throw new EngineError("ENGINE_PANICKED");
    return engine();
  }

  /** The run's alive time. */
  alive(): number {
    return clock() - this.#bornAt;
  }

  /** The time of a tick that may do without: reading the clock costs as much as the tick. */
  tickTime(): number {
    return this.#isTimed ? this.alive() : 0;
  }

  /** Gives a payload a number. */
  keep(event: WorkflowEvent): number {
    const slot = this.#freeSlots.pop() ?? this.#slots.length;
    this.#slots[slot] = event;
    return slot;
  }

  /** The payload of a number that the engine has named. */
  payload(slot: number): WorkflowEvent {
    return this.#slots[slot]!;
  }

  /** Forgets a payload. */
  drop(slot: number): void {
    this.#slots[slot] = undefined;
    this.#freeSlots.push(slot);
  }

  /** Copies the commands of an answer into the queue. @throws when the answer is an error. */
  take(pointer: number, detail = ""): void {
    const memory = memoryWords();
    const at = pointer >>> 2;
    if (memory[at] !== 0) {
      if (memory[at] !== SETTLED) throw engineError(memory[at]!, detail);
      this.isSettling = true;
    }
    const from = at + 3 + memory[at + 1]!;
    const to = from + memory[at + 2]!;
    const { commands } = this;
    let end = this.end;
    for (let word = from; word < to; word += 1) commands[end++] = memory[word]!;
    this.end = end;
  }

  /** Takes the answer to a tick that brought a payload, which goes back when the tick was refused. */
  takeOrDrop(pointer: number, slot: number, detail = ""): void {
    try {
      this.take(pointer, detail);
    } catch (error) {
      this.drop(slot);
      throw error;
    }
  }

  /** The queue has been carried out; it keeps its memory, unless a fan-out has made it large. */
  rewind(): void {
    this.next = 0;
    this.end = 0;
    if (this.commands.length > LARGE_QUEUE) this.commands.length = 0;
  }

  /** Lets go of everything. */
  close(): void {
    this.#resource?.free();
    this.commands.length = 0;
    this.rewind();
    this.#slots = [];
    this.#freeSlots = [];
  }
}
