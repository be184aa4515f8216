// A joke and its critique, printed while the model writes them.
//
//   node examples/joke/run.mjs             about pirates
//   node examples/joke/run.mjs penguins
import { modelOrExit } from "../model.mjs";
import { JokeEvent, TextEvent, workflow } from "./workflow.mjs";

const [topic = "pirates"] = process.argv.slice(2);
const run = workflow.run(topic, modelOrExit());

console.log(`A joke about ${topic}, and a critique of it by the same model\n\n  The joke:\n`);
for await (const event of run) {
  if (event instanceof TextEvent) process.stdout.write(event.data);
  if (event instanceof JokeEvent) process.stdout.write("\n\n  The critique:\n\n");
}
console.log();
