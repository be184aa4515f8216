// What a runtime is asked for by own/runtimes.mjs: to run a case of a contender so many times, and to say how long it
// took by the clock of the runtime. Where that clock stands still, the program outside looks at its own.
import { timed } from "../cases.mjs";
import bare from "../peers/bare.mjs";
import stepstream, { collect, untimed } from "../peers/stepstream.mjs";

const contenders = { bare, stepstream, "stepstream:collect": collect, "stepstream:untimed": untimed };

export async function perform({ key, id, size, times }) {
  const { answer, each = false } = timed.find((entry) => entry.id === id);
  const work = contenders[key][id];
  const check = (found, n) => {
    if (found !== answer(n)) throw new Error(`${key} answered ${id}(${n}) with ${found}; ${answer(n)} is right`);
  };
  const begun = performance.now();
  for (let time = 0; time < times; time++) {
    if (each) for (let i = 0; i < size; i++) check(await work(i), i);
    else check(await work(size), size);
  }
  return { ms: performance.now() - begun };
}
