// What the codec needs to know of a workflow.

import type { EventClass, WorkflowEvent } from "../../model/events.js";
import type { TypeHook } from "../../model/type-hook.js";

/** What the codec needs to know of a workflow. */
export interface CodecContext {
  /** The hooks, by the name under which the values of each are written. */
  readonly types: Readonly<Record<string, TypeHook>>;
  /** The type name of an event's class. */
  nameOf(event: WorkflowEvent): string;
  /** The class of a type name. */
  classOf(name: string): EventClass | undefined;
}
