// Prints a run of an agent while it happens: the text of the model, the tool calls, and whether the answer is right.
import { StreamReset } from "stepstream";
import { AgentStream, ToolCall, ToolCallResult } from "stepstream/agents";
import { ANSWER } from "./agents.mjs";

/** Prints a run until it ends. */
export async function show(run) {
  let isInLine = false;
  const line = (text) => {
    console.log(`${isInLine ? "\n" : ""}  ${text}`);
    isInLine = false;
  };
  for await (const { constructor: kind, data } of run) {
    if (kind === AgentStream && data.delta !== "") {
      process.stdout.write((isInLine ? "" : "  ") + data.delta.replaceAll("\n", "\n  "));
      isInLine = true;
    }
    // What was printed cannot be taken back, but it can be said that it does not count.
    if (kind === StreamReset && data.iteration !== undefined) line("(That broke off; the model writes it again.)");
    if (kind === ToolCall) line(`-> ${data.name}(${data.arguments})`);
    if (kind === ToolCallResult) line(`<- ${data.isError ? "failed: " : ""}${data.content}`);
  }
  const { text } = (await run).data;
  const isRight = text.replaceAll(/[,\s]/g, "").includes(String(ANSWER));
  line(isRight ? "(correct)" : `(wrong: it is ${ANSWER})`);
}
