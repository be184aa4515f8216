// The floor: fetch, and a loop that reads the body of the response and looks at nothing in it.
import { forms } from "../lib/streams.mjs";

const { begin, say, end } = forms.chat;

/** The length of the text, which follows from the number of bytes. */
export async function read(baseURL) {
  const response = await fetch(`${baseURL}/chat/completions`, { method: "POST", body: "{}" });
  const reader = response.body.getReader();
  let bytes = -begin.length - end.length;
  for (let next = await reader.read(); !next.done; next = await reader.read()) bytes += next.value.length;
  return (bytes / say(" word").length) * " word".length;
}
