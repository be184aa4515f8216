// Tools: the type of the arguments follows from the schema, or is given; what `execute` returns is the tool's result.
import type { HandlerContext } from "stepstream";
import { type JSONSchema, type OutputOf, type Tool, type ToolDefinition, callTool, tool } from "stepstream/llm";
import * as v from "valibot";
import * as z from "zod";
import { type Equal, expectType, expectValue } from "./helpers.js";

// Schemas of libraries: what they make of what the model wrote.
const zod = tool({
  name: "zod",
  parameters: z.object({ a: z.number(), b: z.string().default("x") }),
  execute: (args, { signal, context, toolCallId }) => {
    expectValue<{ a: number; b: string }>()(args);
    expectValue<AbortSignal>()(signal);
    expectValue<HandlerContext>()(context);
    expectValue<string>()(toolCallId);
    return args.a;
  },
});
expectValue<Tool<{ a: number; b: string }, number>>()(zod);
tool({ name: "valibot", parameters: v.object({ a: v.number() }), jsonSchema: {}, execute: ({ a }) => a.toFixed() });
tool({
  name: "all",
  parameters: z.object({ path: z.string() }),
  needsApproval: async ({ path }, { context }) => path.startsWith("/") && context.attempt > 1,
  execute: async ({ path }) => ({ path }),
  returnDirect: true,
  timeout: null,
  once: true,
  strict: false,
});

// JSON Schema: the type is given, in one of two ways.
// JSON Schema as an interface has it, which has no index signature.
interface Schema7 {
  readonly $id?: string;
  readonly type?: string | string[];
}
const schema7: Schema7 = { type: "object" };
tool({ name: "interface", parameters: schema7, execute: () => 1 });
tool({ name: "beside", parameters: v.object({ a: v.number() }), jsonSchema: schema7, execute: ({ a }) => a.toFixed() });
// @ts-expect-error -- the arguments are not those of the schema.
tool({ name: "other", parameters: v.object({ a: v.number() }), execute: ({ a }: { a: string }) => a });
// @ts-expect-error -- nor here.
tool({ name: "other", parameters: z.object({ a: z.number() }), execute: ({ a }: { a: string }) => a });

const json: JSONSchema = { type: "object", properties: { a: { type: "number" } } };
expectValue<Tool<{ a: number }>>()(tool<{ a: number }>({ name: "json", parameters: json, execute: ({ a }) => a }));
expectValue<Tool<{ a: number }, string>>()(
  tool({ name: "json", parameters: json, execute: ({ a }: { a: number }) => a.toFixed() }),
);
tool({ name: "json", parameters: json, execute: (args) => void expectValue<Record<string, unknown>>()(args) });
tool({ name: "none", execute: () => "now" });

// @ts-expect-error -- no name.
tool({ execute: () => 1 });
// @ts-expect-error -- nothing to execute.
tool({ name: "a" });
// @ts-expect-error -- not what the schema makes.
tool({ name: "a", parameters: z.object({ a: z.number() }), execute: ({ b }) => b });
// @ts-expect-error -- a misspelt option.
tool({ name: "a", execute: () => 1, timeOut: 3 });
// @ts-expect-error -- frozen.
zod.name = "other";

// Tools of all kinds stand in one list, and a tool is what is described to a model.
const tools: readonly Tool[] = [zod, tool<{ a: number }>({ name: "json", execute: ({ a }) => a })];
const definitions: readonly ToolDefinition[] = tools;
void callTool(tools, { id: "1", name: "zod", arguments: "{}" }).then(({ content }) => content);
const schema = z.object({ n: z.string().transform(Number) });
expectType<Equal<OutputOf<typeof schema>, { n: number }>>();
export { definitions, schema };
