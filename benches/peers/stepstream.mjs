// stepstream itself, through the packed package, written as its README shows. The handlers do what `bare.mjs` does.
import { StartEvent, StopEvent, Workflow, WorkflowEvent, collect as gather } from "stepstream";

class Count extends WorkflowEvent {
  static type = "count";
}
class Work extends WorkflowEvent {
  static type = "work";
}
class Done extends WorkflowEvent {
  static type = "done";
}

const chain = new Workflow({ name: "chain" });
chain.addStep({ inputs: [StartEvent], outputs: [Count] }, async (_, event) => new Count({ left: event.data, sum: 0 }));
chain.addStep({ inputs: [Count], outputs: [Count, StopEvent] }, async (_, { data: { left, sum } }) =>
  left === 1 ? new StopEvent(sum + left) : new Count({ left: left - 1, sum: sum + left }),
);

function single(options) {
  const workflow = new Workflow({ name: "one step", ...options });
  workflow.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, async (_, event) => new StopEvent(event.data + 1));
  return workflow;
}

const oneStep = single();
/** A run has a timeout unless it says otherwise, and so a timer, which costs more in some runtimes than in others. */
const untimedStep = single({ timeout: null });

/** The steps of every fan-out; `gather` adds the one that puts the results together. */
function fanOut(gather) {
  const workflow = new Workflow({ name: "fan-out" });
  workflow.addStep({ inputs: [StartEvent], outputs: [Work] }, async (context, event) => {
    for (let i = 0; i < event.data; i++) context.sendEvent(new Work({ i }));
  });
  workflow.addStep({ inputs: [Work], outputs: [Done] }, async (_, event) => new Done({ value: event.data.i * 2 }));
  gather(workflow);
  return workflow;
}

/** A step that counts in a closure, and so a workflow of its own for each run. */
function counting(n) {
  let left = n;
  let sum = 0;
  return fanOut((workflow) =>
    workflow.addStep({ inputs: [Done], outputs: [StopEvent] }, async (_, event) => {
      sum += event.data.value;
      left -= 1;
      return left === 0 ? new StopEvent(sum) : undefined;
    }),
  );
}

/** The same through `collectEvents`, which is asked for n events of one type at each arrival. */
function collecting(n) {
  const wanted = new Array(n).fill(Done);
  return fanOut((workflow) =>
    workflow.addStep({ inputs: [Done], outputs: [StopEvent] }, async (context, event) => {
      const all = context.collectEvents(event, wanted);
      return all === null ? undefined : new StopEvent(all.reduce((sum, { data }) => sum + data.value, 0));
    }),
  );
}

/** The same by list: the first step returns an array, and the last one gathers what comes of it. */
const byList = new Workflow({ name: "list" });
byList.addStep({ inputs: [StartEvent], outputs: [[Work]] }, async (_, event) =>
  Array.from({ length: event.data }, (_, i) => new Work({ i })),
);
byList.addStep({ inputs: [Work], outputs: [Done] }, async (_, event) => new Done({ value: event.data.i * 2 }));
byList.addStep(
  { inputs: [gather(Done)], outputs: [StopEvent] },
  async (_, all) => new StopEvent(all.reduce((sum, { data }) => sum + data.value, 0)),
);

const resultOf = async (workflow, input) => (await workflow.run(input)).data;

/** Reads every event of the run, as a user interface would. */
async function readingResultOf(workflow, input) {
  let last;
  for await (const event of workflow.run(input)) last = event;
  return last.data;
}

export default {
  chain: (n) => resultOf(chain, n),
  fanOut: (n) => resultOf(counting(n), n),

  oneStep: (i) => resultOf(oneStep, i),
};

export const read = {
  chain: (n) => readingResultOf(chain, n),
  fanOut: (n) => readingResultOf(counting(n), n),
};

export const untimed = {
  oneStep: (i) => resultOf(untimedStep, i),
};

export const list = {
  fanOut: (n) => resultOf(byList, n),
};

export const collect = {
  fanOut: (n) => resultOf(collecting(n), n),
};
