// Events that no step takes and no reader reads, as progress events are when no page is open: what they cost, what they
// hold while their run lives, what a first such run leaves behind (wasm memory grows and never shrinks), and what a
// second one adds to that, which must be nothing.
import { heldAtRest, MB } from "../lib/heap.mjs";
import { StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";

const size = Number(process.argv[2]);

class Progress extends WorkflowEvent {
  static type = "progress";
}

/** `gate` keeps the run alive after its last event, so that what it holds can be weighed. */
function noisy(count, gate) {
  const workflow = new Workflow({ name: "noisy" });
  workflow.addStep({ inputs: [StartEvent], outputs: [Progress, StopEvent] }, async (context) => {
    const start = performance.now();
    for (let i = 0; i < count; i++) context.sendEvent(new Progress({ i }));
    const spent = performance.now() - start;
    await gate(spent);
    return new StopEvent("done");
  });
  return workflow;
}

const toMB = ({ js, wasm }) => (js + wasm) / MB;

// The instance and everything that is made once are not what is weighed here.
await noisy(1000, async () => {}).run();
const before = toMB(await heldAtRest());
let during;
let spent;

async function flood() {
  const workflow = noisy(size, async (ms) => {
    spent = ms;
    during = toMB(await heldAtRest());
  });
  const stop = await workflow.run();
  if (stop.data !== "done") throw new Error(`the run ended with ${stop.data}`);
}

await flood();
const afterFirst = toMB(await heldAtRest());
await flood();
const afterSecond = toMB(await heldAtRest());
console.log(
  JSON.stringify({
    duringMB: during - afterFirst,
    leftByFirstMB: afterFirst - before,
    leftBySecondMB: afterSecond - afterFirst,
    microsecondsPerEvent: (spent * 1e3) / size,
  }),
);
