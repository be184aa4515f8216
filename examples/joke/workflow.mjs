// The workflow: one step has a joke told, the next one has it judged. What the model writes goes into the stream as it comes.
import { StartEvent, StopEvent, Workflow, WorkflowEvent } from "stepstream";

/** A joke, told to its end. */
export class JokeEvent extends WorkflowEvent {
  static type = "joke";
}

/** The next few letters of what the model writes, for whoever watches; no step takes it. */
export class TextEvent extends WorkflowEvent {
  static type = "text";
}

export const workflow = new Workflow({ name: "joke", timeout: 120 });

workflow.addStep({ name: "tell", inputs: [StartEvent], outputs: [JokeEvent] }, async (context, { data: topic }) => {
  return new JokeEvent(await write(context, `Tell me a short joke about ${topic}.`));
});

workflow.addStep({ name: "judge", inputs: [JokeEvent], outputs: [StopEvent] }, async (context, { data: joke }) => {
  const critique = await write(
    context,
    `Say in two sentences what is good and what is bad about this joke:\n\n${joke}`,
  );
  return new StopEvent({ joke, critique });
});

/** Asks the model, which is the run's data, and passes its answer on piece by piece. */
async function write({ data: llm, signal, writeEventToStream }, prompt) {
  let whole = "";
  for await (const text of llm.streamComplete(prompt, { maxTokens: 120, signal })) {
    writeEventToStream(new TextEvent(text));
    whole += text;
  }
  return whole;
}
