// The workflow for one document: split it, analyse its sections in parallel, join them, and write a summary in a loop
// until it meets the bar. It knows nothing of files; `library.mjs` runs one of these for each.
import { StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";
import { briefOf } from "./analysis.mjs";
import { AnalysedEvent, BriefEvent, DraftEvent, ProgressEvent, RevisionEvent, SectionEvent } from "./events.mjs";
import { better, firstDraft, inOrder, judge, revise } from "./summary.mjs";
import { sectionsOf } from "./text.mjs";

/**
 * @typedef {object} Report
 * @property {import("./analysis.mjs").Figures} figures
 * @property {string[]} terms The key terms, the weightiest first.
 * @property {{ sentences: string[], words: number, coverage: number, rounds: number, fault?: "thin" | "long" }} summary
 */

/** A judged draft, for whoever watches. */
function describe({ round, change, coverage, words, fault }) {
  const verdict = fault === undefined ? "good" : fault === "long" ? "too long" : "not enough";
  return `round ${round} ${change}: ${Math.round(coverage * 100)} % of the key terms in ${words} words, ${verdict}`;
}

/**
 * @param {object} options
 * @param {number} options.workers How many sections a run analyses at a time.
 * @param {import("./timeline.mjs").Timeline} options.timeline
 */
export function documentWorkflow({ workers, timeline }) {
  // Its data: `threads`, the pool. It starts with `{ name, text }`, and stops with a Report.
  const workflow = new Workflow({ name: "document" });
  const watch = (handler) => timeline.watch(({ store }) => store.get("name"), handler);

  const split = async ({ store, sendEvent, writeEventToStream }, { data: { name, text } }) => {
    const sections = sectionsOf(text);
    if (sections.length === 0) throw new Error("there is no prose in it");
    store.set("name", name);
    store.set("sections", sections.length);
    writeEventToStream(new ProgressEvent({ name, message: `sections: ${sections.length}` }));
    // A step returns one event, and sends as many as it likes.
    for (const section of sections) sendEvent(new SectionEvent(section));
  };
  workflow.addStep({ name: "split", inputs: [StartEvent], outputs: [SectionEvent] }, split);

  // One invocation for each section, `workers` of them at a time; the others queue, first in, first out. Where several documents
  // are processed at once, their runs share the threads.
  workflow.addStep(
    { name: "analyse", inputs: [SectionEvent], outputs: [AnalysedEvent], numWorkers: workers },
    watch(async ({ data, signal }, { data: section }) => new AnalysedEvent(await data.threads.run(section, signal))),
  );

  const join = ({ store, collectEvents, writeEventToStream }, event) => {
    // Null until every section is there. They come in the order in which their analyses were done.
    const all = collectEvents(event, Array(store.get("sections")).fill(AnalysedEvent));
    if (all === null) return undefined;
    const sections = all.map(({ data }) => data).sort((a, b) => a.index - b.index);
    const brief = briefOf(sections);
    writeEventToStream(
      new ProgressEvent({ name: store.get("name"), message: `words analysed: ${brief.figures.words}` }),
    );
    return new BriefEvent({ brief });
  };
  workflow.addStep({ name: "join", inputs: [AnalysedEvent], outputs: [BriefEvent] }, join);

  // It takes either of two events: the first time round a brief, then what was sent back.
  const write = ({ store }, event) => {
    if (event instanceof RevisionEvent) {
      return new DraftEvent(revise(store.get("brief"), event.data.draft, event.data.fault));
    }
    const { brief } = event.data;
    store.set("brief", brief);
    return new DraftEvent(firstDraft(brief));
  };
  workflow.addStep(
    { name: "write", inputs: [WorkflowEvent.or(BriefEvent, RevisionEvent)], outputs: [DraftEvent] },
    watch(write),
  );

  // The loop: back to `write` with the fault, or out with the report.
  const review = ({ store, writeEventToStream }, { data: draft }) => {
    const { figures, terms } = store.get("brief");
    const judged = judge(store.get("brief"), draft);
    writeEventToStream(new ProgressEvent({ name: store.get("name"), message: describe(judged) }));
    // The best so far; of a loop that ends below the bar, the last draft need not be it.
    const { chosen, coverage, words, fault } = store.edit("best", (best) => better(best, judged));
    if (!judged.isLast) return new RevisionEvent({ draft, fault: judged.fault });
    const summary = { sentences: inOrder(chosen), words, coverage, rounds: draft.round, fault };
    return new StopEvent({ figures, terms: [...terms.keys()], summary });
  };
  workflow.addStep({ name: "review", inputs: [DraftEvent], outputs: [RevisionEvent, StopEvent] }, watch(review));

  return workflow.strict();
}
