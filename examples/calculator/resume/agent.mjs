// The agent of both processes. Its tools take a second, like a remote service.
import { setTimeout as sleep } from "node:timers/promises";
import { WorkflowEvent } from "stepstream";
import { FunctionAgent, tool } from "stepstream/agents";
import { fileStore } from "stepstream/stores/file";
import { modelOrExit } from "../../model.mjs";
import { options } from "../agents.mjs";
import { add, multiply } from "../tools.mjs";

const { CALCULATOR_FOLDER: folder } = process.env;
if (folder === undefined) throw new Error("Set CALCULATOR_FOLDER. run.mjs does it for you.");

export const store = fileStore(folder);
export const say = (text) => console.log(`  process ${process.pid}: ${text}`);

/** A tool has begun to work. */
export class AtWorkEvent extends WorkflowEvent {
  static type = "at-work";
}

const slowly = ({ name, description, parameters, execute }) =>
  tool({
    name,
    description,
    parameters,
    execute: async (given, { context, signal }) => {
      say(`${name}(${given.a}, ${given.b}) is running`);
      context.writeEventToStream(new AtWorkEvent());
      await sleep(1000, undefined, { signal });
      return execute(given);
    },
  });

export const agent = new FunctionAgent({
  ...options,
  llm: modelOrExit(),
  tools: [slowly(add), slowly(multiply)],
  initialToolChoice: "required",
  events: [AtWorkEvent],
});
