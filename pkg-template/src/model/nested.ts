// Nested workflows as types. The class of a workflow is in `api/`.

import type { StartEvent } from "./events.js";
import type { RunOptions } from "./options.js";
import type { WorkflowContext } from "./run.js";

/** The key under which a workflow carries its types for the compiler; there is nothing at run time. */
export declare const workflowTypes: unique symbol;

/** What the compiler knows of a workflow. */
export interface WorkflowTypes<ContextData, Start, Stop, NestedSlots extends Slots> {
  readonly data: ContextData;
  readonly start: Start;
  readonly stop: Stop;
  readonly slots: NestedSlots;
}

/** Nested workflows by slot. */
export interface Slots {
  readonly [slot: string]: NestableWorkflow;
}

/** No nested workflows. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- an interface would not be a kind of Slots.
export type NoSlots = {};

/** A workflow, as `addWorkflows` takes it. `Workflow` is the class. */
export interface NestableWorkflow {
  /** For the compiler alone; there is nothing at run time. */
  // `unknown` would refuse every workflow with typed data.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly [workflowTypes]?: WorkflowTypes<any, any, any, any> | undefined;
  /** What tells the workflow from others. */
  readonly fingerprint: string;
}

/** Runs a nested workflow. */
export type NestedWorkflow<Nested> = Nested extends {
  readonly [workflowTypes]?: WorkflowTypes<infer ContextData, infer Start, infer Stop, infer _Slots> | undefined;
}
  ? {
      /**
       * Starts a run of the nested workflow. Its events appear in the stream of the run around it as NestedEvents. It
       * is cancelled when that run ends.
       *
       * @param data Default: the data of the run around it.
       */
      run(
        input: Start | StartEvent<Start>,
        data?: ContextData,
        options?: RunOptions,
      ): WorkflowContext<ContextData, Start, Stop>;
    }
  : never;
