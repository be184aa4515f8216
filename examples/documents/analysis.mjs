// Statistics: of each section by itself (this runs in threads), and of a document as a whole.
import { sentencesOf, syllablesIn, termOf, wordsOf } from "./text.mjs";

/** @typedef {{ text: string, words: number, terms: string[], section: number, position: number }} Sentence */
/** @typedef {{ index: number, title: string, words: number, syllables: number, sentences: Sentence[] }} Analysis */
/** @typedef {{ words: number, sentences: number, sections: number, readingEase: number, hardest?: string }} Figures */
/** @typedef {{ figures: Figures, terms: Map<string, number>, candidates: (Sentence & { score: number })[] }} Brief */

const KEY_TERMS = 15;
/** The lengths, in words, of sentences that are fit for a summary. */
const SHORTEST = 8;
const LONGEST = 40;

/**
 * Counts one section.
 * @param {import("./text.mjs").Section} section
 * @returns {Analysis}
 */
export function analyse({ index, title, paragraphs }) {
  let syllables = 0;
  let words = 0;
  const sentences = paragraphs.flatMap(sentencesOf).map((text, position) => {
    const own = wordsOf(text);
    words += own.length;
    for (const word of own) syllables += syllablesIn(word);
    const terms = [...new Set(own.map(termOf))].filter((term) => term !== undefined);
    return { text, words: own.length, terms, section: index, position };
  });
  return { index, title, words, syllables, sentences };
}

/** Flesch's reading ease of English: 100 is easy, 60 is plain, below 30 is difficult. */
function readingEase({ words, sentences, syllables }) {
  return 206.835 - 1.015 * (words / sentences) - 84.6 * (syllables / words);
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/**
 * The terms that characterise a document, with their weights, by tf-idf over its sections: the weight of a term grows
 * with how often it occurs, and shrinks with the number of sections that have it.
 */
function weigh(sections) {
  const sectionsWith = new Map();
  const weights = new Map();
  for (const { sentences } of sections) {
    const counts = new Map();
    for (const term of sentences.flatMap(({ terms }) => terms)) counts.set(term, (counts.get(term) ?? 0) + 1);
    for (const [term, count] of counts) {
      sectionsWith.set(term, (sectionsWith.get(term) ?? 0) + 1);
      weights.set(term, (weights.get(term) ?? 0) + 1 + Math.log(count));
    }
  }
  const weighted = [...weights].map(([term, tf]) => [
    term,
    tf * Math.log(1 + sections.length / sectionsWith.get(term)),
  ]);
  return new Map(weighted.sort((a, b) => b[1] - a[1]).slice(0, KEY_TERMS));
}

/**
 * What a summary is made from: the statistics of the document, its key terms, and its sentences, the best first.
 * @param {Analysis[]} sections
 * @returns {Brief}
 */
export function briefOf(sections) {
  const terms = weigh(sections);
  const ease = ({ words, syllables, sentences }) => readingEase({ words, syllables, sentences: sentences.length });
  const [hardest] = sections.filter(({ words }) => words >= 50).sort((a, b) => ease(a) - ease(b));
  const sentences = sections.flatMap((section) => section.sentences);
  const words = sum(sections.map((section) => section.words));
  const figures = {
    words,
    sentences: sentences.length,
    sections: sections.length,
    readingEase: readingEase({
      words,
      sentences: sentences.length,
      syllables: sum(sections.map((section) => section.syllables)),
    }),
    hardest: sections.length > 1 ? hardest?.title : undefined,
  };
  const candidates = sentences
    .filter(({ text, words }) => words >= SHORTEST && words <= LONGEST && /[.!?]["”’)]*$/.test(text))
    .map((sentence) => {
      const weight = sum(sentence.terms.map((term) => terms.get(term) ?? 0));
      // The first sentence of a section is often the most important.
      return { ...sentence, score: (weight / Math.sqrt(sentence.words)) * (sentence.position === 0 ? 1.2 : 1) };
    });
  return { figures, terms, candidates: candidates.sort((a, b) => b.score - a.score) };
}
