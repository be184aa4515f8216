// The workflow for one document: split it, analyse its sections in parallel, join them, and write a summary in a loop
// until the summary is good enough. It does not know files: `library.mjs` runs one of these for each file.
import { StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";
import { briefOf } from "./analysis.mjs";
import { AnalysedEvent, BriefEvent, DraftEvent, ProgressEvent, RevisionEvent, SectionEvent } from "./events.mjs";
import { plural } from "./print.mjs";
import { better, firstDraft, inOrder, judge, revise } from "./summary.mjs";
import { sectionsOf } from "./text.mjs";

/**
 * @typedef {object} Report
 * @property {import("./analysis.mjs").Figures} figures
 * @property {string[]} terms The key terms, the most important first.
 * @property {{ sentences: string[], words: number, coverage: number, rounds: number, fault?: "thin" | "long" }} summary
 */

/** A line about a draft, for the reader of the stream. */
function describe({ round, change, coverage, words, fault }) {
  const verdict = fault === undefined ? "good" : fault === "long" ? "too long" : "too few terms";
  return `draft ${round} (${change}): ${Math.round(coverage * 100)} % of the key terms in ${words} words, ${verdict}`;
}

/**
 * @param {object} options
 * @param {number} options.workers How many sections a run analyses at a time.
 * @param {import("./timeline.mjs").Timeline} options.timeline
 */
export function documentWorkflow({ workers, timeline }) {
  // `data` is `{ threads }`, the pool. A run starts with `{ name, text }` and stops with a Report.
  const workflow = new Workflow({ name: "document" });
  const watch = (handler) => timeline.watch(({ store }) => store.get("name"), handler);

  const split = async ({ store, sendEvent, writeEventToStream }, { data: { name, text } }) => {
    const sections = sectionsOf(text);
    if (sections.length === 0) throw new Error("it contains no prose");
    store.set("name", name);
    store.set("sections", sections.length);
    writeEventToStream(new ProgressEvent({ name, message: `split into ${plural(sections.length, "section")}` }));
    // A step returns at most one event, but can send any number.
    for (const section of sections) sendEvent(new SectionEvent(section));
  };
  workflow.addStep({ name: "split", inputs: [StartEvent], outputs: [SectionEvent] }, split);

  // One invocation for each section, `workers` of them at the same time. The others queue, first in, first out. The
  // runs of several documents share the threads.
  workflow.addStep(
    { name: "analyse", inputs: [SectionEvent], outputs: [AnalysedEvent], numWorkers: workers },
    watch(async ({ data, signal }, { data: section }) => new AnalysedEvent(await data.threads.run(section, signal))),
  );

  const join = ({ store, collectEvents, writeEventToStream }, event) => {
    // Null until every section is there. The order is that in which the analyses have finished.
    const all = collectEvents(event, Array(store.get("sections")).fill(AnalysedEvent));
    if (all === null) return undefined;
    const sections = all.map(({ data }) => data).sort((a, b) => a.index - b.index);
    const brief = briefOf(sections);
    writeEventToStream(
      new ProgressEvent({ name: store.get("name"), message: `${plural(brief.figures.words, "word")} analysed` }),
    );
    return new BriefEvent({ brief });
  };
  workflow.addStep({ name: "join", inputs: [AnalysedEvent], outputs: [BriefEvent] }, join);

  // Takes either of two events: the brief at first, then the drafts that `review` returned.
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

  // The loop: back to `write` with what is wrong, or out with the report.
  const review = ({ store, writeEventToStream }, { data: draft }) => {
    const { figures, terms } = store.get("brief");
    const judged = judge(store.get("brief"), draft);
    writeEventToStream(new ProgressEvent({ name: store.get("name"), message: describe(judged) }));
    // Keeps the best draft. If no draft is good enough, the last one need not be the best.
    const { chosen, coverage, words, fault } = store.edit("best", (best) => better(best, judged));
    if (!judged.isLast) return new RevisionEvent({ draft, fault: judged.fault });
    const summary = { sentences: inOrder(chosen), words, coverage, rounds: draft.round, fault };
    return new StopEvent({ figures, terms: [...terms.keys()], summary });
  };
  workflow.addStep({ name: "review", inputs: [DraftEvent], outputs: [RevisionEvent, StopEvent] }, watch(review));

  return workflow.strict();
}
