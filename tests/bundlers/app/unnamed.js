// Events without a `static type`: their names are their classes', which minifiers change.
import { StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";
import { Note as First } from "./unnamed/first.js";
import { Note as Second } from "./unnamed/second.js";

class Question extends WorkflowEvent {}
class Answer extends WorkflowEvent {}

/** A run from the start through events of these two classes. */
async function through(One, Two) {
  const workflow = new Workflow();
  workflow.addStep({ inputs: [StartEvent], outputs: [One] }, (_, { data }) => new One(`${data} one`));
  workflow.addStep({ inputs: [One], outputs: [Two] }, (_, { data }) => new Two(`${data} two`));
  workflow.addStep({ inputs: [Two], outputs: [StopEvent] }, (_, { data }) => new StopEvent(data));
  return (await workflow.run("zero")).data;
}

/**
 * Two classes of one module always have two names. Those of two modules may have one, in the source or after a minifier: then the
 * workflow is refused, with advice; they are never taken for one another.
 */
export async function unnamed() {
  const apart = await through(Question, Answer);
  const alike = await through(First, Second).catch((error) => `${error.code}: ${error.message}`);
  return { apart, alike };
}
