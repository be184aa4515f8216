// XState 5: a step is an invoked promise actor, and the machine moves on when it is done.
import { assign, createActor, fromPromise, setup, toPromise } from "xstate";

const chain = setup({
  actors: {
    count: fromPromise(async ({ input: { left, sum } }) => ({ left: left - 1, sum: sum + left })),
  },
}).createMachine({
  context: ({ input }) => input,
  initial: "counting",
  output: ({ context }) => context.sum,
  states: {
    counting: {
      invoke: {
        src: "count",
        input: ({ context }) => context,
        onDone: [
          {
            guard: ({ event }) => event.output.left === 0,
            target: "done",
            actions: assign(({ event }) => event.output),
          },
          { target: "counting", reenter: true, actions: assign(({ event }) => event.output) },
        ],
      },
    },
    done: { type: "final" },
  },
});

const fanOut = setup({
  actors: { work: fromPromise(async ({ input }) => ({ value: input.i * 2 })) },
}).createMachine({
  context: ({ input, spawn }) => {
    for (let i = 0; i < input.n; i++) spawn("work", { id: `work.${i}`, input: { i } });
    return { left: input.n, sum: 0 };
  },
  initial: "gathering",
  output: ({ context }) => context.sum,
  states: {
    gathering: {
      always: { guard: ({ context }) => context.left === 0, target: "done" },
      on: {
        "xstate.done.actor.*": {
          actions: assign(({ context, event }) => ({ left: context.left - 1, sum: context.sum + event.output.value })),
        },
      },
    },
    done: { type: "final" },
  },
});

function resultOf(machine, input) {
  const actor = createActor(machine, { input });
  actor.start();
  return toPromise(actor);
}

export default {
  chain: (n) => resultOf(chain, { left: n, sum: 0 }),
  fanOut: (n) => resultOf(fanOut, { n }),

  oneStep: (i) => resultOf(chain, { left: 1, sum: i }),
};
