// Parses the text of a model in the ReAct format while it is streamed. Where the text is cut makes no difference.
//
// A line begins with a label, or continues the part of the line before. Text that may become a label is held back, and
// so is white space that may be at the end of a part. The first action or answer counts; models often invent something
// after it, such as an observation, which is ignored. Text before any label may turn out to be a thought, so it is
// reported at the end.

/** Receives thoughts and the answer while they are parsed. */
export interface ReActSink {
  thought(text: string): void;
  answer(text: string): void;
}

/** The result of parsing. */
export type ReActStep =
  | { readonly kind: "action"; readonly thought: string; readonly name: string; readonly input: string }
  | { readonly kind: "answer"; readonly thought: string; readonly answer: string }
  | { readonly kind: "wrong"; readonly thought: string; readonly problem: string };

type Part = "lead" | "thought" | "action" | "input" | "answer" | "rest";

/** The labels, and the part that each begins. */
const labels: readonly (readonly [string, Part])[] = [
  ["Thought:", "thought"],
  ["Action:", "action"],
  ["Action Input:", "input"],
  ["Answer:", "answer"],
  ["Final Answer:", "answer"],
  ["Observation:", "rest"],
];

/** A label may be indented, and bold. */
const decoration = /^[ \t]*\*{0,2}/;

/** The beginning of a line: a label and what follows it, text that may become a label (`"open"`), or neither. */
function readLabel(line: string): { readonly part: Part; readonly rest: string } | "open" | "none" {
  const begin = decoration.exec(line)![0];
  const isBold = begin.endsWith("**");
  const text = line.slice(begin.length);
  let isOpen = false;
  for (const [label, part] of labels) {
    if (text.startsWith(label)) {
      const rest = text.slice(label.length);
      if (!isBold) return { part, rest };
      if (rest.startsWith("**")) return { part, rest: rest.slice(2) };
      // `**Thought:** …` may still come; `**Thought: …**` is taken as a label too.
      return rest === "" || rest === "*" ? "open" : { part, rest };
    }
    // `**Thought**: …`
    const closed = `${label.slice(0, -1)}**:`;
    if (isBold && text.startsWith(closed)) return { part, rest: text.slice(closed.length) };
    isOpen ||= label.startsWith(text) || (isBold && closed.startsWith(text));
  }
  return isOpen ? "open" : "none";
}

const ignore = (): void => undefined;

/** Collects a text without the white space around it, and reports it while it grows. */
class Trimmed {
  #text = "";
  /** White space that may be at the end. */
  #space = "";
  /** White space is ignored at the beginning of the text and of a paragraph. */
  #isAtBegin = true;
  readonly #report: (text: string) => void;

  constructor(report: (text: string) => void = ignore) {
    this.#report = report;
  }

  get text(): string {
    return this.#text;
  }

  /** Begins a new line. */
  paragraph(): void {
    this.#isAtBegin = true;
    this.#space = this.#text === "" ? "" : "\n";
  }

  add(piece: string): void {
    const fresh = this.#isAtBegin ? piece.trimStart() : piece;
    if (fresh === "") return;
    this.#isAtBegin = false;
    const all = this.#space + fresh;
    const trimmed = all.trimEnd();
    this.#space = all.slice(trimmed.length);
    if (trimmed === "") return;
    this.#text += trimmed;
    this.#report(trimmed);
  }
}

/** The parser: call `push` with each piece of the text, then `end`. */
export class ReActParser {
  #part: Part = "lead";
  /** The beginning of a line that may become a label; undefined in the middle of a line. */
  #held: string | undefined = "";
  #hasAction = false;
  readonly #lead = new Trimmed();
  readonly #thought: Trimmed;
  readonly #action = new Trimmed();
  readonly #input = new Trimmed();
  readonly #answer: Trimmed;
  readonly #sink: ReActSink;

  constructor(sink: ReActSink = { thought: ignore, answer: ignore }) {
    this.#sink = sink;
    this.#thought = new Trimmed((text) => sink.thought(text));
    this.#answer = new Trimmed((text) => sink.answer(text));
  }

  push(piece: string): void {
    let at = 0;
    while (at < piece.length && this.#part !== "rest") {
      const newline = piece.indexOf("\n", at);
      const end = newline === -1 ? piece.length : newline + 1;
      this.#line(piece.slice(at, end));
      at = end;
    }
  }

  /** A piece of one line, with the line break if it is the last one. */
  #line(piece: string): void {
    if (this.#held === undefined) {
      this.#add(piece);
    } else {
      const line = this.#held + piece;
      const found = readLabel(line);
      if (found === "open") {
        this.#held = line;
        return;
      }
      this.#held = undefined;
      if (found === "none" || !this.#begin(found.part)) this.#add(line);
      else this.#add(found.rest);
    }
    if (piece.endsWith("\n")) this.#held = "";
  }

  /** Begins the part of a label. False when the label is only text of the current part. */
  #begin(part: Part): boolean {
    const now = this.#part;
    if (now === "action" && part === "input") this.#part = "input";
    else if (now === "answer" && part === "answer") return false;
    else if (now === "answer" || now === "action" || now === "input") this.#part = "rest";
    else {
      if (now === "lead") this.#thought.add(this.#lead.text);
      if (part === "thought") this.#thought.paragraph();
      if (part === "action") this.#hasAction = true;
      this.#part = part;
    }
    return true;
  }

  #add(text: string): void {
    switch (this.#part) {
      case "lead":
        this.#lead.add(text);
        return;
      case "thought":
        this.#thought.add(text);
        return;
      case "action":
        this.#action.add(text);
        return;
      case "input":
        this.#input.add(text);
        return;
      case "answer":
        this.#answer.add(text);
        return;
      case "rest":
    }
  }

  /**
   * Ends the text, and returns the step.
   *
   * @param isLast Whether the model had to answer. Then its thought is used if there is no answer.
   */
  end(isLast = false): ReActStep {
    const held = this.#held ?? "";
    this.#held = undefined;
    const found = readLabel(held);
    // At the very end, `Answer` without a colon is text, and `**Thought:` is a label.
    const label = found === "open" && held.trimEnd().endsWith(":") ? readLabel(`${held} `) : found;
    if (typeof label === "string" || !this.#begin(label.part)) this.#add(held);
    const thought = this.#thought.text;
    if (this.#answer.text !== "") return { kind: "answer", thought, answer: this.#answer.text };
    if (this.#hasAction && !isLast) return this.#actionStep(thought);
    if (this.#part === "lead" && this.#lead.text !== "") {
      this.#sink.answer(this.#lead.text);
      return { kind: "answer", thought: "", answer: this.#lead.text };
    }
    if (isLast && thought !== "") {
      this.#sink.answer(thought);
      return { kind: "answer", thought: "", answer: thought };
    }
    const problem =
      this.#input.text === ""
        ? 'There is neither a line "Action:" nor a line "Answer:" with something behind it.'
        : 'There is a line "Action Input:", but no line "Action:" before it.';
    return { kind: "wrong", thought, problem };
  }

  #actionStep(thought: string): ReActStep {
    const name = nameIn(this.#action.text);
    if (name === "") return { kind: "wrong", thought, problem: 'Behind "Action:" there is no name of a tool.' };
    // Models sometimes leave out the label, and write the arguments after the name.
    const behind = this.#action.text.slice(this.#action.text.indexOf("{"));
    const isBehind = this.#input.text === "" && behind.startsWith("{");
    const input = inputIn(isBehind ? behind : this.#input.text);
    return typeof input === "string"
      ? { kind: "action", thought, name, input }
      : { kind: "wrong", thought, problem: input.problem };
  }
}

/** The name of the tool in its line. Models sometimes write quotes around it, or parentheses after it. */
function nameIn(text: string): string {
  return /^[\s"'`*]*([\w.-]*)/.exec(text)![1]!;
}

/** The arguments as JSON text, or the problem with them. */
function inputIn(text: string): string | { readonly problem: string } {
  const begin = text.indexOf("{");
  // For a tool without arguments, models often write nothing, or `None`.
  if (begin === -1 && /^[\s`'"*]*(?:json|none|null|n\/a)?[\s`'"*]*$/i.test(text)) return "{}";
  const json = begin === -1 ? text : text.slice(begin, endOfObject(text, begin));
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return json;
  } catch (error) {
    return { problem: `Behind "Action Input:" there is no JSON: ${(error as Error).message}.` };
  }
  return { problem: 'Behind "Action Input:" there has to be one JSON object.' };
}

/** The end of the object that begins at a position, or the end of the text. */
function endOfObject(text: string, begin: number): number {
  let depth = 0;
  let isInString = false;
  for (let at = begin; at < text.length; at += 1) {
    const mark = text[at];
    if (isInString) {
      if (mark === "\\") at += 1;
      else if (mark === '"') isInString = false;
    } else if (mark === '"') isInString = true;
    else if (mark === "{") depth += 1;
    else if (mark === "}") {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return text.length;
}
