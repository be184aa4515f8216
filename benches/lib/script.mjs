// What the model says in the benchmark of agents: it adds, multiplies, and answers. It knows the question and the
// results of the tools so far, so one script serves all contenders, whatever form they give to a conversation.

export const INSTRUCTIONS = "You are a calculator. Use the tools.";
export const questionOf = (i) => `What is twice the sum of ${i} and 3?`;
export const answerOf = (i) => `Twice the sum of ${i} and 3 is ${2 * (i + 3)}, as the tools have found.`;

/** The next line: `{ id, name, input }`, a call of a tool, or `{ text }`. */
export function lineFor(question, results) {
  const i = Number(/of (\d+) and/.exec(question)[1]);
  if (results.length === 0) return { id: "call_1", name: "add", input: { a: i, b: 3 } };
  if (results.length === 1) return { id: "call_2", name: "multiply", input: { a: Number(results[0]), b: 2 } };
  return { text: `Twice the sum of ${i} and 3 is ${results[1]}, as the tools have found.` };
}

/** A text in the pieces in which a model streams it: about a word each. */
export const piecesOf = (text) => text.match(/ ?[^ ]+/g);
