// Agents: what runs take and result in, what subclasses have to be, what events carry.
import {
  type HandlerContext,
  HumanResponseEvent,
  InputRequiredEvent,
  StopEvent,
  Workflow,
  type WorkflowContext,
} from "stepstream";
import {
  type AgentResult,
  type AgentStart,
  type AgentStep,
  type AgentStepInput,
  AgentStream,
  AgentWorkflow,
  BaseAgent,
  ChatMemoryBuffer,
  type ChatMessage,
  FunctionAgent,
  type LLM,
  ReActAgent,
  type StandardSchema,
  ToolApprovalRequest,
  ToolApprovalResponse,
  ToolCallResult,
  tool,
} from "stepstream/agents";
import { expectValue } from "./helpers.js";

declare const llm: LLM;
declare const schema: StandardSchema<unknown, { readonly sum: number }>;
const typed = tool<{ a: number }>({ name: "typed", execute: ({ a }) => a + 1 });
const bare = tool({ name: "bare", execute: () => "" });

const agent = new FunctionAgent({ llm, tools: [typed, bare] });
expectValue<WorkflowContext<unknown, AgentStart, AgentResult>>()(agent.run("text"));
expectValue<StopEvent<AgentResult>>()(await agent.run({ message: "text", chatHistory: [], maxIterations: 5 }));
expectValue<AgentWorkflow>()(agent.workflow);
expectValue<unknown>()((await agent.run("text")).data.structured);
expectValue<readonly ChatMessage[]>()((await agent.recover(new Uint8Array())).data.chatHistory);

// The form of the answer.
const formed = new ReActAgent({ llm, outputSchema: schema });
expectValue<{ readonly sum: number }>()((await formed.run("text")).data.structured);
const team = new AgentWorkflow({ agents: [agent, formed], outputSchema: schema });
expectValue<number>()((await team.run("text")).data.structured.sum);
expectValue<number>()(
  (await AgentWorkflow.fromTools([typed, bare], { llm, outputSchema: schema, kind: "react" }).run("")).data.structured
    .sum,
);

// The data of a run.
const withData = new AgentWorkflow<{ readonly user: string }>({ agents: [agent], memory: new ChatMemoryBuffer() });
withData.run("text", { user: "Ada" });
// @ts-expect-error the data is of the workflow's type
withData.run("text", { user: 1 });
// @ts-expect-error something must be said
agent.run();
// @ts-expect-error a model is needed
new FunctionAgent({ tools: [] });
// @ts-expect-error agents are needed
new AgentWorkflow({});
// @ts-expect-error there are two ways to stop
new FunctionAgent({ llm, earlyStopping: "stop" });
// @ts-expect-error tools are made by `tool`
new FunctionAgent({ llm, tools: [{ name: "a" }] });

// In the slot of another workflow.
const outer = new Workflow<unknown, string, string>().addWorkflows({ agent: agent.workflow });
expectValue<AgentWorkflow>()(outer.workflows.agent);

// Agents of one's own.
class Own extends BaseAgent {
  override async takeStep(context: HandlerContext, input: AgentStepInput): Promise<AgentStep> {
    return this.callModel(context, input, { tools: input.tools, toolChoice: "none" });
  }
}
new AgentWorkflow({ agents: [new Own({ name: "own" }), agent] });
// @ts-expect-error a step is what an agent must know to take
class Wrong extends BaseAgent {}
void Wrong;

// Events.
const request = new ToolApprovalRequest({ agent: "a", iteration: 1, id: "i", name: "n", arguments: "{}" });
const asked: InputRequiredEvent = request;
const answer: HumanResponseEvent = new ToolApprovalResponse({
  id: asked === request ? request.data.id : "",
  approved: true,
});
void answer;
declare const stream: AgentStream;
expectValue<string>()(stream.data.delta);
expectValue<string | undefined>()(stream.data.reasoning);
declare const result: ToolCallResult;
expectValue<boolean>()(result.data.isError);
// @ts-expect-error an answer says whether
new ToolApprovalResponse({ id: "i" });
