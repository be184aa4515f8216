// Reads what a model writes in the ReAct format, as it comes. Wherever the text is cut, the same comes out.
//
// A line begins with a label, or goes on with what the line before was about. What may still become a label is held back, and so is white
// space that may turn out to be at the end. The first action or answer counts: what models like to invent after it, such as an
// observation, is left out. Text before any label may still turn out to be a thought, so it is told of at the end.

/** What is told while it is read. */
export interface ReActSink {
  thought(text: string): void;
  answer(text: string): void;
}

/** What a text says. */
export type ReActStep =
  | { readonly kind: "action"; readonly thought: string; readonly name: string; readonly input: string }
  | { readonly kind: "answer"; readonly thought: string; readonly answer: string }
  | { readonly kind: "wrong"; readonly thought: string; readonly complaint: string };

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

/** A label may be indented, and in bold type. */
const decoration = /^[ \t]*\*{0,2}/;

/** What the beginning of a line is: a label with what follows it, something that may become one, or neither. */
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
      // `**Thought:** …` is not complete yet, and `**Thought: …**` is somebody's own way.
      return rest === "" || rest === "*" ? "open" : { part, rest };
    }
    // `**Thought**: …`
    const closed = `${label.slice(0, -1)}**:`;
    if (isBold && text.startsWith(closed)) return { part, rest: text.slice(closed.length) };
    isOpen ||= label.startsWith(text) || (isBold && closed.startsWith(text));
  }
  return isOpen ? "open" : "none";
}

/** Collects a text without the white space around it, and tells of it as it grows. */
class Trimmed {
  #text = "";
  /** White space that may be at the end. */
  #space = "";
  /** White space is left out until there is more: at the beginning, and at that of a paragraph. */
  #isAtBegin = true;
  readonly #tell: (text: string) => void;

  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  get text(): string {
    return this.#text;
  }

  /** What follows begins on a line of its own. */
  paragraph(): void {
    this.#isAtBegin = true;
    this.#space = this.#text === "" ? "" : "\n";
  }

  add(piece: string): void {
    const fresh = this.#isAtBegin ? piece.trimStart() : piece;
    if (fresh === "") return;
    this.#isAtBegin = false;
    const all = this.#space + fresh;
    const told = all.trimEnd();
    this.#space = all.slice(told.length);
    if (told === "") return;
    this.#text += told;
    this.#tell(told);
  }
}

const tellNobody = (): void => undefined;

/** The reader. Give it all pieces, then call `end`. */
export class ReActParser {
  #part: Part = "lead";
  /** The beginning of a line that may become a label; undefined in the middle of a line. */
  #held: string | undefined = "";
  #hasAction = false;
  readonly #lead = new Trimmed(tellNobody);
  readonly #thought: Trimmed;
  readonly #action = new Trimmed(tellNobody);
  readonly #input = new Trimmed(tellNobody);
  readonly #answer: Trimmed;
  readonly #sink: ReActSink;

  constructor(sink: ReActSink = { thought: tellNobody, answer: tellNobody }) {
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

  /** A label was read. False when it is a part of the text. */
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
   * The text is complete.
   *
   * @param isLast The model was told to answer: what it has thought is better than nothing.
   */
  end(isLast = false): ReActStep {
    const held = this.#held ?? "";
    this.#held = undefined;
    const found = readLabel(held);
    // `Answer` at the very end, without the colon, is text; `**Thought:` is a label.
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
    const complaint =
      this.#input.text === ""
        ? 'There is neither a line "Action:" nor a line "Answer:" with something behind it.'
        : 'There is a line "Action Input:", but no line "Action:" before it.';
    return { kind: "wrong", thought, complaint };
  }

  #actionStep(thought: string): ReActStep {
    const name = nameIn(this.#action.text);
    if (name === "") return { kind: "wrong", thought, complaint: 'Behind "Action:" there is no name of a tool.' };
    // Models forget the label, and put the arguments behind the name.
    const behind = this.#action.text.slice(this.#action.text.indexOf("{"));
    const isBehind = this.#input.text === "" && behind.startsWith("{");
    const input = inputIn(isBehind ? behind : this.#input.text);
    return typeof input === "string"
      ? { kind: "action", thought, name, input }
      : { kind: "wrong", thought, complaint: input.complaint };
  }
}

/** The name of the tool, from its line: models put it between quotes, and parentheses behind it. */
function nameIn(text: string): string {
  return /^[\s"'`*]*([\w.-]*)/.exec(text)![1]!;
}

/** The arguments as JSON, or what is wrong with them. */
function inputIn(text: string): string | { readonly complaint: string } {
  const begin = text.indexOf("{");
  // Models leave the arguments out where there are none to give.
  if (begin === -1 && /^[\s`'"*]*(?:json|none|null|n\/a)?[\s`'"*]*$/i.test(text)) return "{}";
  const json = begin === -1 ? text : text.slice(begin, endOfObject(text, begin));
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return json;
  } catch (error) {
    return { complaint: `Behind "Action Input:" there is no JSON: ${(error as Error).message}.` };
  }
  return { complaint: 'Behind "Action Input:" there has to be one JSON object.' };
}

/** Where the object ends that begins at a place; the end of the text, if it does not. */
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
