// An extractive summary: sentences of the document that together name most of its key terms in few words. Each revision
// changes one sentence; the loop is in the workflow of `document.mjs`.

/** @typedef {import("./analysis.mjs").Brief} Brief */
/** @typedef {import("./analysis.mjs").Sentence} Sentence */
/** @typedef {{ chosen: Sentence[], rejected: Sentence[], round: number, change: string }} Draft */

/** When a summary is good enough: the share of the key terms' weight that it names, and its number of words. */
export const BAR = { coverage: 0.8, words: 70 };
const MOST_ROUNDS = 12;

/** The share of the key terms' weight that some sentences name. */
function coverage({ terms }, sentences) {
  const named = new Set(sentences.flatMap((sentence) => sentence.terms));
  let covered = 0;
  let total = 0;
  for (const [term, weight] of terms) {
    total += weight;
    if (named.has(term)) covered += weight;
  }
  return total === 0 ? 0 : covered / total;
}

const lengthOf = (sentences) => sentences.reduce((words, sentence) => words + sentence.words, 0);

/**
 * The first draft: the sentence with the highest score.
 * @param {Brief} brief
 * @returns {Draft}
 */
export function firstDraft({ candidates }) {
  return { chosen: candidates.slice(0, 1), rejected: [], round: 1, change: "the best sentence" };
}

/**
 * Reviews a draft. `fault` is what is wrong with it, or undefined. `isLast` is true if the draft is good, if there have
 * been enough rounds, or if no sentence is left to try.
 * @param {Brief} brief
 * @param {Draft} draft
 */
export function judge(brief, draft) {
  const covered = coverage(brief, draft.chosen);
  const words = lengthOf(draft.chosen);
  const fault = words > BAR.words ? "long" : covered < BAR.coverage ? "thin" : undefined;
  const isHopeless = fault === "thin" && gains(brief, draft).length === 0;
  return {
    ...draft,
    coverage: covered,
    words,
    fault,
    isLast: fault === undefined || isHopeless || draft.round >= MOST_ROUNDS,
  };
}

/** The better of two reviewed drafts. One that is too long is worse than any other. `a` may be undefined. */
export function better(a, b) {
  if (a === undefined || (a.fault === "long" && b.fault !== "long")) return b;
  return b.fault === "long" || b.coverage <= a.coverage ? a : b;
}

/** The sentences that would add key terms to a draft, the one that adds most for its length first. */
function gains(brief, { chosen, rejected }) {
  const before = coverage(brief, chosen);
  return brief.candidates
    .filter((sentence) => !chosen.includes(sentence) && !rejected.includes(sentence))
    .map((sentence) => ({
      sentence,
      gain: (coverage(brief, [...chosen, sentence]) - before) / Math.sqrt(sentence.words),
    }))
    .filter(({ gain }) => gain > 0)
    .sort((a, b) => b.gain - a.gain);
}

/**
 * The next draft. A draft with too few terms gets the sentence that adds most. A draft that is too long loses the least
 * useful sentence.
 * @param {Brief} brief
 * @param {Draft} draft
 * @param {"thin" | "long"} fault
 * @returns {Draft}
 */
export function revise(brief, draft, fault) {
  const { chosen, rejected, round } = draft;
  if (fault === "thin") {
    const [best] = gains(brief, draft);
    return { chosen: [...chosen, best.sentence], rejected, round: round + 1, change: "a sentence added" };
  }
  const without = (sentence) => chosen.filter((other) => other !== sentence);
  const loss = (sentence) => (coverage(brief, chosen) - coverage(brief, without(sentence))) / sentence.words;
  // Not the sentence that was added last: it replaces one that is removed.
  const [first, ...rest] = chosen.slice(0, -1);
  const dropped = rest.reduce((least, sentence) => (loss(sentence) < loss(least) ? sentence : least), first);
  // A removed sentence is never added again, so the loop cannot go in circles.
  return { chosen: without(dropped), rejected: [...rejected, dropped], round: round + 1, change: "a sentence removed" };
}

/** The sentences in the order of the document. */
export function inOrder(sentences) {
  return sentences.toSorted((a, b) => a.section - b.section || a.position - b.position).map(({ text }) => text);
}
