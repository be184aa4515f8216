// What a fresh process pays before its first result: importing the package, then compiling and instantiating the wasm
// and running one step. The second run shows how much of the first was that.
const start = performance.now();
const { StartEvent, StopEvent, Workflow } = await import("stepstream");
const imported = performance.now();

async function oneRun() {
  const begun = performance.now();
  const workflow = new Workflow({ name: "first" });
  workflow.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, async (_, event) => new StopEvent(event.data + 1));
  const stop = await workflow.run(1);
  if (stop.data !== 2) throw new Error(`the run ended with ${stop.data}`);
  return performance.now() - begun;
}

const firstRunMs = await oneRun();
const secondRunMs = await oneRun();
console.log(JSON.stringify({ importMs: imported - start, firstRunMs, secondRunMs }));
