// A workflow: steps, and how to run them.

import { ValidationError } from "../errors/errors.js";
import { type EventClass, type StepFailedEvent, StopEvent, type WorkflowEvent, isKindOf } from "../model/events.js";
import type { NoSlots, Slots, WorkflowTypes, workflowTypes } from "../model/nested.js";
import type { WorkflowContext } from "../model/run.js";
import type { RecoverOptions, WorkflowOptions } from "../model/options.js";
import type {
  AddStepParameters,
  CatchErrorCheck,
  CatchErrorParameters,
  HandlerCheck,
  NotInferred,
  StepCheck,
  StepHandler,
  StepInputs,
  StepOutputs,
  Taken,
} from "../model/step-types.js";
import { type RawParameters, checkInputs, checkStep, checkStepNames, classesOf } from "../model/step.js";
import {
  type ValidateOptions,
  type ValidationIssue,
  WorkflowDefinition,
  checkCount,
  checkSkip,
  define,
  definitionOf,
} from "../runtime/definition.js";
import { type WorkflowDescription, describeWorkflow } from "../runtime/describe-workflow.js";
import { PreparedSnapshot } from "../snapshot/restore.js";
import { describe } from "../util/describe.js";
import { type RunArguments, type RunOf, checkRecoverOptions, checkRunOptions, createContext } from "./context.js";
import { type Replay, type ReplayOptions, createReplay } from "./replay.js";

/**
 * A workflow: steps that take events and return events.
 *
 * ```ts
 * const workflow = new Workflow<{ llm: LLM }, string, string>({ timeout: 60 });
 * workflow.addStep(
 *   { inputs: [StartEvent<string>], outputs: [StopEvent<string>] },
 *   async ({ data }, event) => new StopEvent(await data.llm.complete(event.data)),
 * );
 * const { data: text } = await workflow.run("a joke about pirates", { llm });
 * ```
 *
 * @typeParam ContextData What handlers find in `context.data`.
 * @typeParam Start What the start event carries.
 * @typeParam Stop What the stop event carries.
 * @typeParam NestedSlots The nested workflows by slot; `addWorkflows` gives it.
 * @typeParam State The state of the store: what the schema of the option `state` gives.
 */
export class Workflow<
  ContextData = unknown,
  Start = unknown,
  Stop = unknown,
  NestedSlots extends Slots = NoSlots,
  State = unknown,
> {
  /** For the compiler alone; there is nothing at run time. */
  declare readonly [workflowTypes]?: WorkflowTypes<ContextData, Start, Stop, NestedSlots> | undefined;

  /** Its name in messages. */
  readonly name: string;
  readonly #definition: WorkflowDefinition;
  #workflows: Slots = {};

  /** @throws ValidationError `INVALID_DURATION`, `INVALID_OPTION`, `INVALID_SCHEMA`, `ASYNC_SCHEMA`, `INVALID_STATE` */
  constructor(options: WorkflowOptions<State> = {}) {
    this.#definition = define(this, new WorkflowDefinition(options, new.target.name, createContext));
    this.name = this.#definition.name;
  }

  /**
   * Adds a step.
   *
   * ```ts
   * workflow.addStep(
   *   { inputs: [JokeEvent], outputs: [StopEvent<string>], numWorkers: 4 },
   *   async (context, event) => new StopEvent(await critique(event.data)),
   * );
   * ```
   *
   * @param parameters What it takes and returns. With `override: true` it replaces the step of the same name.
   * @param handler Gets the context and an event for each input, or a list; returns an event, an array of events, or
   * nothing.
   * @throws ValidationError when the definition is wrong: `INVALID_STEP`, `DUPLICATE_STEP`, `DUPLICATE_EVENT`,
   * `STEP_TAKES_STOP`, `INVALID_WORKERS`, `INVALID_DURATION`, `INVALID_RETRY`, `COLLECT_NOT_ALONE`.
   */
  addStep<
    const Inputs extends readonly [Taken, ...Taken[]],
    const Outputs extends readonly WorkflowEvent[] = readonly WorkflowEvent[],
    Handler = unknown,
  >(
    parameters: AddStepParameters<Inputs, Outputs> & StepCheck<NotInferred<Inputs>, NotInferred<Outputs>, Start, Stop>,
    handler: HandlerCheck<
      Handler,
      StepInputs<NotInferred<Inputs>, Start>,
      StepOutputs<NotInferred<Outputs>, Stop>,
      Stop
    > &
      StepHandler<
        ContextData,
        StepInputs<NotInferred<Inputs>, Start>,
        StepOutputs<NotInferred<Outputs>, Stop>,
        NestedSlots,
        State
      > &
      Handler,
  ): this {
    if (typeof parameters !== "object" || parameters === null) {
      throw new ValidationError("INVALID_STEP", `The parameters are ${describe(parameters)}.`);
    }
    checkStepNames(parameters, "addStep");
    const naming = this.#definition.nameOf(parameters.name, handler, "step");
    const { name } = naming;
    const { inputs, collects } = checkInputs(name, parameters.inputs);
    const isStop = (kind: EventClass): boolean => isKindOf(kind, StopEvent);
    if (inputs.flatMap(classesOf).some(isStop)) throw new ValidationError("STEP_TAKES_STOP", `The step is "${name}".`);
    const step = {
      ...checkStep(name, parameters as RawParameters, handler),
      ...naming,
      inputs,
      collects,
      handles: undefined,
    };
    this.#definition.add(step, parameters.override === true);
    return this;
  }

  /**
   * Adds an error handler: a step that takes the failures of other steps when their retries are used up. It returns the
   * event that the run continues with. A run whose handler returns nothing stalls, with the failure as the `cause`,
   * unless other steps move it.
   *
   * ```ts
   * workflow.catchError(
   *   { steps: ["fetch"], outputs: [StopEvent<string>] },
   *   (context, { data: { step, error } }) => new StopEvent(`${step} failed: ${error.message}`),
   * );
   * ```
   *
   * @param parameters `steps`: whose failures; default: all that no other handler is for. `maxRecoveries`: how often
   * failures may be handled along one chain of events before the run fails. Default: 1.
   * @throws ValidationError as `addStep`. A step that does not exist and a second handler for a step are found by `run`
   * and `validate`.
   */
  catchError<const Outputs extends readonly WorkflowEvent[] = readonly WorkflowEvent[], Handler = unknown>(
    parameters: CatchErrorParameters<Outputs> & CatchErrorCheck<NotInferred<Outputs>, Stop>,
    handler: HandlerCheck<Handler, [StepFailedEvent], StepOutputs<NotInferred<Outputs>, Stop>, Stop> &
      StepHandler<ContextData, [StepFailedEvent], StepOutputs<NotInferred<Outputs>, Stop>, NestedSlots, State> &
      Handler,
  ): this {
    checkStepNames(parameters, "catchError");
    const { steps = [], maxRecoveries } = parameters;
    const naming = this.#definition.nameOf(parameters.name, handler, "catchError");
    const { name } = naming;
    const most = Math.min(checkCount(maxRecoveries, 1, "maxRecoveries", 0), 2 ** 32 - 1);
    if (!Array.isArray(steps)) throw new ValidationError("INVALID_OPTION", `steps of "${name}" is ${describe(steps)}.`);
    const handles = { steps: steps as readonly string[], maxRecoveries: most };
    const step = {
      ...checkStep(name, parameters as RawParameters, handler),
      ...naming,
      inputs: [],
      collects: undefined,
      handles,
    };
    this.#definition.add(step, false);
    return this;
  }

  /** Whether there is a step of this name, or with this handler. */
  hasStep(step: string | ((...args: never[]) => unknown)): boolean {
    return this.#definition.find(step) !== undefined;
  }

  /**
   * Removes a step, by its name or its handler. Runs in progress keep it.
   *
   * @throws ValidationError `UNKNOWN_STEP`
   */
  removeStep(step: string | ((...args: never[]) => unknown)): this {
    this.#definition.remove(step);
    return this;
  }

  /**
   * Adds nested workflows, each under a slot. A step runs one with `context.workflows.slot.run(…)`.
   *
   * @throws ValidationError `INVALID_OPTION`
   */
  addWorkflows<const Added extends Slots>(
    workflows: Added,
  ): Workflow<ContextData, Start, Stop, NestedSlots & Added, State> {
    for (const [slot, workflow] of Object.entries(workflows)) {
      if (!(workflow instanceof Workflow)) {
        throw new ValidationError("INVALID_OPTION", `What was given for the slot "${slot}" is ${describe(workflow)}.`);
      }
    }
    for (const [slot, workflow] of Object.entries(workflows)) {
      this.#definition.slots.set(slot, definitionOf(workflow)!);
    }
    this.#workflows = { ...this.#workflows, ...workflows };
    return this as never;
  }

  /** The nested workflows, by slot. */
  get workflows(): NestedSlots {
    return this.#workflows as NestedSlots;
  }

  /** The names of the steps, in the order in which they were added. */
  get stepNames(): readonly string[] {
    return this.#definition.stepNames;
  }

  /**
   * Makes the workflow strict: `run` refuses every issue of severity `error` that `validate` finds, and a step that
   * returns an event which it did not declare fails. Returns the workflow.
   *
   * @param options `skip`: codes of issues that are meant, and not refused. Without these no run could work, so they
   * are refused all the same: `NO_STEPS`, `NO_START_STEP`, `STEP_TAKES_STOP`.
   * @throws ValidationError `INVALID_OPTION` when `skip` has a code that `validate` does not know.
   */
  strict(options: ValidateOptions = {}): this {
    this.#definition.beStrict(checkSkip(options, "strict"));
    return this;
  }

  /**
   * Everything in the workflow that looks wrong. Issues of severity `error` keep a run from working as it is meant.
   * Those of severity `warning` are about names that a build may change, after which snapshots of an older build do not
   * recover. Steps that do not declare their outputs may return any event, so nothing that depends on them is reported.
   *
   * ```ts
   * const issues = workflow.validate({ skip: ["UNREACHABLE_STEP"] });
   * ```
   *
   * @param options `skip`: codes of issues that are meant, and not reported.
   * @throws ValidationError when a definition is wrong in itself: `UNKNOWN_STEP` or `DUPLICATE_HANDLER` in
   * `catchError`. `INVALID_OPTION` when `skip` has a code that is none of these.
   */
  validate(options: ValidateOptions = {}): ValidationIssue[] {
    return this.#definition.validate(checkSkip(options, "validate"));
  }

  /**
   * What the workflow is made of, as plain data that JSON can carry: its steps with their options, its event classes,
   * its own options, and its nested workflows. For pictures, servers and tests. Two calls give equal descriptions until
   * the workflow is changed.
   *
   * ```ts
   * for (const { name, inputs, outputs } of workflow.describe().steps) console.log(name, inputs, outputs);
   * ```
   *
   * @throws ValidationError when a definition is wrong in itself, as `validate`.
   */
  describe(): WorkflowDescription {
    return describeWorkflow(this.#definition);
  }

  /**
   * A hash of the steps and of what they take and return, as 16 hexadecimal digits. Snapshots contain it, and `recover`
   * compares it.
   */
  get fingerprint(): string {
    return this.#definition.plan().fingerprint;
  }

  /**
   * Makes a run. It begins when it is first awaited, iterated or sent an event, and otherwise by itself in the next
   * microtask.
   *
   * @param input What the start event carries, or a start event.
   * @param data What handlers find in `context.data`. Where the workflow needs data and gets none, the run is a
   * {@link RunWithoutData}, until `with` gives it.
   * @throws ValidationError when the workflow cannot work: `NO_STEPS`, `NO_START_STEP`, `UNKNOWN_STEP`,
   * `DUPLICATE_HANDLER`; under `strict()` for everything that `validate` finds. EngineError `UNSUPPORTED_RUNTIME` when
   * there is no WebAssembly.
   */
  run<Given extends ContextData | undefined = undefined>(
    ...[input, data, options = {}]: RunArguments<Start, Given>
  ): RunOf<ContextData, Start, Stop, Given> {
    const origin = this.#definition.begin(input);
    checkRunOptions(options);
    const run = createContext(this.#definition, { origin, data, options, place: undefined });
    return run as RunOf<ContextData, Start, Stop, Given>;
  }

  /**
   * Resumes a run from a snapshot, in this process, another one, or another kind of runtime. The whole snapshot is
   * checked now. The run begins when it is first used, like one that `run` gives. Its data mostly comes from `with`.
   *
   * A step that was running starts again from its beginning. What it had received is given to it again in the same
   * order, what it had sent is not sent twice, and its `once` side effects are not repeated. If it had written to the
   * stream, the stream first gets a `StreamReset`. Events that were not read yet are still delivered. A run that had
   * failed tries the failed step again. A run that had completed resolves with its StopEvent.
   *
   * ```ts
   * const bytes = context.snapshot();
   * const { data } = await workflow.recover(bytes).with({ llm });
   * ```
   *
   * @param snapshot What `context.snapshot()` gave, as a Uint8Array or an ArrayBuffer.
   * @throws RecoverError `SNAPSHOT_FORMAT`, `SNAPSHOT_VERSION`, `SNAPSHOT_TRUNCATED`, `SNAPSHOT_ALTERED`,
   * `SNAPSHOT_FOREIGN`, `SNAPSHOT_INVALID`; under `migrate` also `STEP_MISSING`, `EVENT_MISSING`, `STEP_CHANGED`.
   */
  recover(snapshot: Uint8Array | ArrayBuffer, options: RecoverOptions = {}): WorkflowContext<ContextData, Start, Stop> {
    this.#definition.checked();
    checkRecoverOptions(options);
    const prepared = new PreparedSnapshot(this.#definition, snapshot, options);
    return createContext(this.#definition, { origin: { prepared }, data: undefined, options, place: undefined });
  }

  /**
   * Rebuilds the past of a run from its journal. No step runs.
   *
   * ```ts
   * const context = workflow.run(input, data, { journal: true });
   * await context;
   * const past = workflow.replay(context.journal(), { until: 12 });
   * console.log(past.inFlight, past.store.toJSON());
   * const again = workflow.recover(past.snapshot()).with(data);
   * ```
   *
   * @param journal What `context.journal()` gave, or its increments joined.
   * @throws RecoverError `SNAPSHOT_FORMAT`, `SNAPSHOT_VERSION`, `SNAPSHOT_TRUNCATED`, `SNAPSHOT_ALTERED`,
   * `SNAPSHOT_FOREIGN`, `SNAPSHOT_INVALID`, `JOURNAL_GAP`.
   */
  replay(journal: Uint8Array | ArrayBuffer, options: ReplayOptions = {}): Replay {
    this.#definition.checked();
    return createReplay(this.#definition, journal, options);
  }

  /** Frees the memory of the workflow in the engine. The workflow may be used again, and its runs continue. */
  dispose(): void {
    this.#definition.dispose();
  }
}
