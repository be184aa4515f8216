// Whether memory stays flat: over the events of one long run, read or not, of handlers that return no promise, so that
// one loop executes all commands, and over many finished runs. Sampled at every tenth of the way, after a full
// collection. A leak of one pointer per event would show as 3 MB or more in a million of them; the commands of a
// hundred thousand synchronous steps, if they were kept, as 4 MB.
import { growth, held, heldAtRest } from "../lib/heap.mjs";
import { StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";

const [what, sizeText] = process.argv.slice(2);
const size = Number(sizeText);
const tenth = size / 10;
const samples = [];

class Count extends WorkflowEvent {
  static type = "count";
}

function count(_, { data: { left } }) {
  if ((left - 1) % tenth === 0) samples.push(held());
  return left === 1 ? new StopEvent("done") : new Count({ left: left - 1 });
}

function chain(handler = async (...args) => count(...args)) {
  const workflow = new Workflow({ name: "chain" });
  workflow.addStep({ inputs: [StartEvent], outputs: [Count] }, async (_, event) => new Count({ left: event.data }));
  workflow.addStep({ inputs: [Count], outputs: [Count, StopEvent] }, handler);
  return workflow;
}

function check(stop) {
  if (stop.data !== "done") throw new Error(`the run ended with ${stop.data}`);
}

const measurements = {
  async events() {
    check(await chain().run(size));
  },

  async synchronousEvents() {
    check(await chain(count).run(size));
  },

  async readEvents() {
    let last;
    let count = 0;
    for await (const event of chain().run(size)) {
      last = event;
      count += 1;
    }
    check(last);
    // The start event, one for each step of the chain, and the end.
    if (count !== size + 2) throw new Error(`${count} events were read; ${size + 2} is right`);
  },

  async runs() {
    const workflow = new Workflow({ name: "one step" });
    workflow.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, async () => new StopEvent("done"));
    for (let i = 1; i <= size; i++) {
      check(await workflow.run(i));
      if (i % tenth === 0) samples.push(await heldAtRest());
    }
  },
};

await measurements[what]();
console.log(JSON.stringify(growth(samples)));
