// @llamaindex/workflow-core, used the way its README shows: the result is read off the run's stream.
import { createWorkflow, workflowEvent } from "@llamaindex/workflow-core";

const start = workflowEvent();
const count = workflowEvent();
const work = workflowEvent();
const done = workflowEvent();
const stop = workflowEvent();

const step = async (_, { data: { left, sum } }) =>
  left === 1 ? stop.with(sum + left) : count.with({ left: left - 1, sum: sum + left });

const chain = createWorkflow();
chain.handle([count], step);

/** A workflow of its own for each run, because the number of items still to come lives in its closure. */
function fanOut(n) {
  const workflow = createWorkflow();
  let left = n;
  let sum = 0;
  workflow.handle([start], async (context) => {
    for (let i = 0; i < n; i++) context.sendEvent(work.with({ i }));
  });
  workflow.handle([work], async (_, event) => done.with({ value: event.data.i * 2 }));
  workflow.handle([done], async (_, event) => {
    sum += event.data.value;
    left -= 1;
    return left === 0 ? stop.with(sum) : undefined;
  });
  return workflow;
}

async function resultOf(workflow, first) {
  const { stream, sendEvent } = workflow.createContext();
  sendEvent(first);
  return (await stream.until(stop).toArray()).at(-1).data;
}

/**
 * Not in its README, but its fastest: the stream is never opened and a handler takes the result. Nothing reports
 * the run's progress, and an error would leave the promise open for ever.
 */
function quietResultOf(define, first) {
  return new Promise((resolve) => {
    const workflow = define();
    workflow.handle([stop], (_, event) => resolve(event.data));
    workflow.createContext().sendEvent(first);
  });
}

export default {
  chain: (n) => resultOf(chain, count.with({ left: n, sum: 0 })),
  fanOut: (n) => resultOf(fanOut(n), start.with()),

  oneStep: (i) => resultOf(chain, count.with({ left: 1, sum: i })),
};

export const quiet = {
  chain: (n) =>
    quietResultOf(
      () => {
        const workflow = createWorkflow();
        workflow.handle([count], step);
        return workflow;
      },
      count.with({ left: n, sum: 0 }),
    ),
  fanOut: (n) => quietResultOf(() => fanOut(n), start.with()),
};
