// What the tests of recovery have in common: events, and how a run changes hands.

import {
  HumanResponseEvent,
  InputRequiredEvent,
  type RecoverOptions,
  type Workflow,
  type WorkflowContext,
  WorkflowEvent,
} from "stepstream";

/** Between steps. */
export class Item extends WorkflowEvent<string> {
  static readonly type = "item";
}
/** Another one between steps. */
export class Other extends WorkflowEvent<string> {
  static readonly type = "other";
}
/** Written into the stream. */
export class Progress extends WorkflowEvent<string> {
  static readonly type = "progress";
}
/** From the outside. */
export class Answer extends HumanResponseEvent<string> {
  static readonly type = "answer";
}
/** To the outside. */
export class Question extends InputRequiredEvent<string> {
  static readonly type = "question";
}

/** Any run. */
export type AnyRun = WorkflowContext;

/**
 * Takes a snapshot of a run, ends the run, and recovers it with another workflow object, as another process would. Unread events of
 * the first run are in the stream of the second.
 */
export function reborn(context: WorkflowContext, make: () => Workflow, options: RecoverOptions = {}): WorkflowContext {
  const bytes = context.snapshot();
  context.cancel();
  return make().recover(bytes, options);
}

/** What events carry, with the type of the event before it. */
export function described(events: readonly WorkflowEvent[]): string[] {
  return events.map((event) => {
    const own = (event.constructor as { readonly type?: string }).type ?? event.constructor.name;
    return event.data === undefined ? own : `${own} ${JSON.stringify(event.data)}`;
  });
}

/** Reads so many events of a run. */
export async function read(context: WorkflowContext, count: number): Promise<WorkflowEvent[]> {
  const events: WorkflowEvent[] = [];
  if (count === 0) return events;
  for await (const event of context) {
    events.push(event);
    if (events.length === count) break;
  }
  return events;
}
