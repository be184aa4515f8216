// A joke and its critique, shown as the model writes them.
//
//   node examples/joke/run.mjs             about pirates
//   node examples/joke/run.mjs penguins
import { modelOrExit } from "../model.mjs";
import { JokeEvent, TextEvent, workflow } from "./workflow.mjs";

const [topic = "pirates"] = process.argv.slice(2);
const run = workflow.run(topic, modelOrExit());

console.log(`A joke about ${topic}, and what the same model thinks of it\n`);
for await (const event of run) {
  if (event instanceof TextEvent) process.stdout.write(event.data);
  if (event instanceof JokeEvent) process.stdout.write("\n\n  The critique:\n\n");
}
console.log();
