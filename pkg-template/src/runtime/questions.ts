// The open questions of a run: the waits that only the outside can answer, and the events that ask a person and were
// returned by a step, so that another step takes the answer.

import { ValidationError } from "../errors/errors.js";
import { type EventClass, HumanResponseEvent, WorkflowEvent, isKindOf, typeName } from "../model/events.js";
import type { Question } from "../model/run.js";
import { classesOf } from "../model/step.js";
import { describe } from "../util/describe.js";
import type { EngineRun } from "./engine-run.js";
import type { Plan } from "./plan.js";
import type { WaitTable } from "./wait-table.js";

/** The open questions that a snapshot keeps. */
export interface AskedQuestions {
  /** Of waits: the invocation and entry that the engine knows them by, the id, and what was asked. */
  readonly waits: readonly { readonly key: string; readonly id: string; readonly event?: WorkflowEvent }[];
  /** Of events that no wait belongs to, the oldest first. */
  readonly loose: readonly { readonly id: string; readonly step: string; readonly event: WorkflowEvent }[];
  /** How many of the latter there have been. */
  readonly count: number;
}

/** The kind of the records of open waits. */
const OPEN_WAIT = 1;

/** A question, and how it is answered. */
export interface OpenQuestion extends Question {
  /** Whether an event is an answer to it. */
  accepts(event: WorkflowEvent): boolean;
  answer(event: WorkflowEvent): void;
}

/** The run, as its questions know it. */
export interface QuestionsRun {
  readonly plan: Plan;
  readonly engine: EngineRun;
  readonly waits: WaitTable;
  readonly isEnded: boolean;
  /** The questions of runs nested in it. */
  readonly nestedQuestions: readonly OpenQuestion[];
  /** An event from outside, for the steps that take it. */
  send(event: WorkflowEvent, step: string | undefined, from: undefined): void;
}

/** An event that asks, and that no wait belongs to. */
interface LooseQuestion {
  readonly id: string;
  readonly step: string;
  readonly event: WorkflowEvent;
}

export class Questions {
  readonly #run: QuestionsRun;
  #loose: LooseQuestion[];
  /** How many loose ones there have been. */
  #count: number;
  /** What a snapshot had of waits that their steps have not asked for again, by invocation and entry. */
  readonly #earlier: ReadonlyMap<string, AskedQuestions["waits"][number]>;

  constructor(run: QuestionsRun, restored: AskedQuestions | undefined) {
    this.#run = run;
    this.#loose = [...(restored?.loose ?? [])];
    this.#count = restored?.count ?? 0;
    this.#earlier = new Map(restored?.waits.map((wait) => [wait.key, wait]));
  }

  /** A step has published an event that asks a person. */
  ask(step: string, event: WorkflowEvent): void {
    this.#loose.push({ id: `${step}:${(this.#count += 1)}`, step, event });
  }

  /** An event has come from outside: the oldest question that it answers and that has no wait is closed. */
  answered(event: WorkflowEvent): void {
    if (this.#loose.length === 0 || !this.#run.plan.isTaken(event) || !(event instanceof this.#expected)) return;
    this.#loose.shift();
  }

  /** What an event without a wait asks for: the first answer of a person that a step takes. */
  get #expected(): EventClass {
    const inputs = this.#run.plan.steps.flatMap((step) => step.inputs.flatMap(classesOf));
    return inputs.find(isHuman) ?? HumanResponseEvent;
  }

  /** All that are open, the oldest first. */
  list(): OpenQuestion[] {
    const run = this.#run;
    if (run.isEnded) return [];
    const loose = this.#loose.map(({ id, step, event }): OpenQuestion => {
      const expects = this.#expected;
      const accepts = (answer: WorkflowEvent): boolean => answer instanceof expects;
      return { id, step, question: event, expects, accepts, answer: (answer) => this.#answerLoose(id, answer) };
    });
    return [...loose, ...this.#waits().map(({ question }) => question), ...run.nestedQuestions];
  }

  #answerLoose(id: string, answer: WorkflowEvent): void {
    this.#run.send(answer, undefined, undefined);
    this.#loose = this.#loose.filter((question) => question.id !== id);
  }

  /** The waits that only the outside can answer, each with the key under which a snapshot keeps it. */
  #waits(): { readonly key: string; readonly question: OpenQuestion }[] {
    const { plan, engine, waits, isEnded } = this.#run;
    if (isEnded || !engine.isOpen) return [];
    const taken = new Set<string>();
    return openWaits(engine.openWork()).flatMap(({ step, type, number, key }) => {
      const wait = waits.get(number);
      const earlier = wait === undefined ? this.#earlier.get(key) : undefined;
      const question = wait === undefined ? earlier?.event : wait.ask;
      const types = wait?.types ?? [type];
      const expects = plan.classOf(types[0]!)!;
      if (question === undefined && !isHuman(expects) && plan.isMadeInside(expects)) return [];
      const { name } = plan.steps[step]!;
      const given = wait === undefined ? earlier?.id : wait.id;
      const id = given === undefined || taken.has(given) ? `${name}:${key}` : given;
      taken.add(id);
      const accepts = (answer: WorkflowEvent): boolean => {
        const lineage = plan.lineageOf(plan.typeOf(answer));
        return types.some((one) => lineage.includes(one)) && (wait?.where?.(answer) ?? true);
      };
      const answer = (event: WorkflowEvent): void => engine.answer(number, plan.typeOf(event), event);
      return [{ key, question: { id, step: name, question, expects, accepts, answer } }];
    });
  }

  /** What a snapshot keeps of them; undefined when there is nothing. */
  saved(): AskedQuestions | undefined {
    // A question without an event and a name of its own is found again without help.
    const waits = this.#waits().flatMap(({ key, question: { id, step, question } }) => {
      if (question === undefined && id === `${step}:${key}`) return [];
      return [{ key, id, ...(question === undefined ? {} : { event: question }) }];
    });
    if (waits.length === 0 && this.#loose.length === 0) return undefined;
    return { waits, loose: this.#loose, count: this.#count };
  }
}

/** The records of open waits in what `engine_open` has written, as `src/wasm/engine/mod.rs` describes them. */
function openWaits(words: Uint32Array): { step: number; type: number; number: number; key: string }[] {
  const found = [];
  for (let at = 0; at < words.length; at += 2 + words[at + 1]!) {
    if (words[at] !== OPEN_WAIT) continue;
    const [step = 0, type = 0, number = 0, low = 0, high = 0, entry = 0] = words.subarray(at + 2);
    found.push({ step, type, number, key: `${high * 2 ** 32 + low}.${entry}` });
  }
  return found;
}

const isHuman = (eventClass: EventClass): boolean => isKindOf(eventClass, HumanResponseEvent);

/** Answers one of some questions. @throws ValidationError `NO_SUCH_QUESTION`, `ANSWER_REFUSED` */
export function respond(open: readonly OpenQuestion[], id: unknown, answer: unknown): void {
  const question = open.find((one) => one.id === id);
  if (question === undefined) {
    const known = open.length === 0 ? "No question is open." : `Open: ${open.map((one) => `"${one.id}"`).join(", ")}.`;
    throw new ValidationError("NO_SUCH_QUESTION", `The id is ${describe(id)}. ${known}`);
  }
  const { expects } = question;
  const event =
    answer instanceof WorkflowEvent ? answer : new (expects as new (data: unknown) => WorkflowEvent)(answer);
  if (!question.accepts(event)) {
    const what = `${typeName(event.constructor as EventClass)} for "${question.id}", which expects ${typeName(expects)}`;
    throw new ValidationError("ANSWER_REFUSED", `The answer is ${what}.`);
  }
  question.answer(event);
}
