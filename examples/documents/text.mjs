// From a text file to sections of plain prose, and from prose to sentences and words. It knows some Markdown, and
// English.

/** @typedef {{ index: number, title: string, paragraphs: string[] }} Section */

/** The length of a section, in words, of a text without headings. */
const WORDS_PER_SECTION = 200;

const sentenceBounds = new Intl.Segmenter("en", { granularity: "sentence" });
const wordBounds = new Intl.Segmenter("en", { granularity: "word" });

/** Removes what is not prose: code between fences, comments, front matter. */
function withoutCode(text) {
  return text
    .replace(/^---\n[\s\S]*?\n---\n/, "")
    .replace(/<!--[\s\S]*?-->/g, "")
    .replace(/^ {0,3}(```+|~~~+)[\s\S]*?^ {0,3}\1.*$/gm, "");
}

/** A line of Markdown without its markup. */
function plain(line) {
  return line
    .replace(/!\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/\[([^\]]+)\](\([^)]*\)|\[[^\]]*\])/g, "$1")
    .replace(/<\/?[a-z][^>]*>/gi, "")
    .replace(/\*\*|__|`/g, "")
    .replace(/(^|\W)[*_](\S[^*_]*)[*_](?=\W|$)/g, "$1$2")
    .trim();
}

/** The paragraphs of some lines. An item of a list is a paragraph. Tables and rules are left out. */
function paragraphsOf(lines) {
  const paragraphs = [""];
  for (const line of lines) {
    if (/^\s*([|+].*[|+]|[-*_=#~](\s*[-*_=#~]){2,})\s*$/.test(line)) continue;
    const item = /^\s*([-*+]|\d+[.)])\s+(.*)$/.exec(line);
    if (line.trim() === "" || item) paragraphs.push("");
    paragraphs.push(`${paragraphs.pop()} ${plain((item?.[2] ?? line).replace(/^\s*>\s?/, ""))}`.trim());
  }
  return paragraphs.filter((paragraph) => /\p{L}/u.test(paragraph));
}

function byHeadings(lines) {
  const sections = [{ title: "(opening)", lines: [] }];
  for (const line of lines) {
    const heading = /^ {0,3}#{1,6}\s+(.*?)\s*#*$/.exec(line);
    if (heading) sections.push({ title: plain(heading[1]), lines: [] });
    else sections.at(-1).lines.push(line);
  }
  return sections.map(({ title, lines }) => ({ title, paragraphs: paragraphsOf(lines) }));
}

function byLength(lines) {
  const sections = [];
  let room = 0;
  for (const paragraph of paragraphsOf(lines)) {
    if (room <= 0) {
      sections.push({ title: `part ${sections.length + 1}`, paragraphs: [] });
      room = WORDS_PER_SECTION;
    }
    sections.at(-1).paragraphs.push(paragraph);
    room -= paragraph.split(" ").length;
  }
  return sections;
}

/**
 * The sections of a text that have prose: by its headings, or by length if it has none.
 * @returns {Section[]}
 */
export function sectionsOf(text) {
  const lines = withoutCode(text.replaceAll("\r\n", "\n")).split("\n");
  const sections = lines.some((line) => /^ {0,3}#{1,6}\s/.test(line)) ? byHeadings(lines) : byLength(lines);
  return sections.filter(({ paragraphs }) => paragraphs.length > 0).map((section, index) => ({ index, ...section }));
}

/** The sentences of a paragraph. */
export function sentencesOf(paragraph) {
  return Array.from(sentenceBounds.segment(paragraph), ({ segment }) => segment.trim()).filter(Boolean);
}

/** The words of a sentence, in lower case. */
export function wordsOf(sentence) {
  const words = Array.from(wordBounds.segment(sentence)).filter(({ isWordLike }) => isWordLike);
  return words.map(({ segment }) => segment.toLowerCase().replace("’", "'"));
}

/** How many syllables an English word has, by its groups of vowels. It is right often enough for an average. */
export function syllablesIn(word) {
  const groups = word.replace(/(?:[^laeiouy]es|[^laeiouyt]ed|[^laeiouy]e)$/, "").match(/[aeiouy]+/g);
  return Math.max(1, groups?.length ?? 1);
}

const COMMON = new Set(
  `a about above after again against all also always am an and another any anybody anything are as at be because been before being
  below between both but by came can cannot come could did do does doing done down during each either else even ever every
  everybody everything first for from further get gets give given gives go goes got had has have having he her here hers him his how
  however i if in into is it its itself just keep kept know let like made make makes many may me might mind more most much must my
  need needs neither never new no nobody none nor not nothing now of off often on once one ones only or other others our out over own
  per put rather said same say says second see seen shall she should since so some somebody something still such take taken takes
  than that the their theirs them then there these they thing things this those though three through to too two under until up upon
  us use used uses using very want was way we well were what whatever when where whether which while who whoever whole whom
  whose why will with within without would yet you your yours`.split(/\s+/),
);

/** The term of a word: its singular, or undefined for a common word. */
export function termOf(word) {
  const term = word.replace(/'s?$/, "").replace(/(?<=\w\w[^su])s$/, "");
  return term.length < 3 || COMMON.has(word) || COMMON.has(term) || !/^\p{L}[\p{L}\d'-]*$/u.test(term)
    ? undefined
    : term;
}
