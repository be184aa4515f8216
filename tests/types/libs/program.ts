// A program that uses every entry of the package, for compilers whose libraries know more or less of the platform.
import { StartEvent, StopEvent, Workflow, sealSnapshot } from "stepstream";
import { AgentWorkflow, tool } from "stepstream/agents";
import { WorkflowCheckpointer } from "stepstream/checkpointer";
import { OpenAI } from "stepstream/llm";
import { setWasmModule } from "stepstream/slim";
import { AgentWorkflow as SlimAgentWorkflow } from "stepstream/slim/agents";
import { setLLMWasmModule } from "stepstream/slim/llm";
import { memoryStore } from "stepstream/stores";
import { fileStore } from "stepstream/stores/file";
import engine from "stepstream/stepstream.wasm";
import calls from "stepstream/stepstream-llm.wasm";

setWasmModule(engine);
setLLMWasmModule(calls);

const workflow = new Workflow<undefined, string, number>();
workflow.addStep({ inputs: [StartEvent], outputs: [StopEvent] }, async ({ signal }, { data }) => {
  signal.throwIfAborted();
  return new StopEvent(data.length);
});
const run = workflow.run("text");
const { data } = await run;
const length: number = data;
run.dispose();
const sealed: Uint8Array = await sealSnapshot(run.snapshot(), "a secret of sixteen characters");
await fileStore("folder").save("id", sealed);
const checkpointer = new WorkflowCheckpointer(workflow, { store: memoryStore() });
const add = tool({ name: "add", parameters: { type: "object" }, execute: () => 1 });
const agents = [AgentWorkflow, SlimAgentWorkflow].map((kind) =>
  kind.fromTools([add], { llm: new OpenAI({ model: "x" }) }),
);
export { agents, checkpointer, length };
