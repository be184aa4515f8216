// Steps as decorated methods.

import type { WorkflowEvent } from "../model/events.js";
import type { Slots } from "../model/nested.js";
import type {
  DecoratorCheck,
  HandlerCheck,
  StepCheck,
  StepHandler,
  StepInputs,
  StepOutputs,
  StepParameters,
  Taken,
} from "../model/step-types.js";
import type { Workflow } from "./workflow.js";

/** What {@link step} gives: makes a method of a workflow a step. */
export type StepDecorator<Inputs extends readonly Taken[], Outputs extends readonly WorkflowEvent[]> = <
  ContextData,
  Start,
  Stop,
  NestedSlots extends Slots,
  State,
  Self extends Workflow<ContextData, Start, Stop, NestedSlots, State>,
  Method,
>(
  method: DecoratorCheck<StepCheck<Inputs, Outputs, StartOf<Self>, StopOf<Self>>> &
    HandlerCheck<Method, StepInputs<Inputs, StartOf<Self>>, StepOutputs<Outputs, StopOf<Self>>, StopOf<Self>> &
    StepHandler<
      ContextData,
      StepInputs<Inputs, StartOf<Self>>,
      StepOutputs<Outputs, StopOf<Self>>,
      NestedSlots,
      State
    > &
    Method,
  context: ClassMethodDecoratorContext<Self>,
) => void;

type StartOf<Self> =
  Self extends Workflow<infer _ContextData, infer Start, infer _Stop, infer _Slots, infer _State> ? Start : unknown;
type StopOf<Self> =
  Self extends Workflow<infer _ContextData, infer _Start, infer Stop, infer _Slots, infer _State> ? Stop : unknown;

/**
 * Makes a method of a Workflow subclass a step (a TC39 decorator; set neither `experimentalDecorators` nor
 * `emitDecoratorMetadata`). The step has the method's name; a subclass replaces it by overriding the method.
 *
 * ```ts
 * class Jokes extends Workflow<{ llm: LLM }, string, string> {
 *   \@step({ inputs: [StartEvent<string>], outputs: [StopEvent<string>] })
 *   async tell({ data }: HandlerContext<{ llm: LLM }>, event: StartEvent<string>) {
 *     return new StopEvent(await data.llm.complete(event.data));
 *   }
 * }
 * ```
 */
export function step<
  const Inputs extends readonly [Taken, ...Taken[]],
  const Outputs extends readonly WorkflowEvent[] = readonly WorkflowEvent[],
>(parameters: StepParameters<Inputs, Outputs>): StepDecorator<Inputs, Outputs> {
  return function (method, context) {
    const name = parameters.name ?? String(context.name);
    context.addInitializer(function (this) {
      // Looked up at each call: a subclass may have overridden the method, decorated or not.
      const handler = (...args: Parameters<typeof method>) => (context.access.get(this) ?? method).call(this, ...args);
      this.addStep({ ...parameters, name, override: true } as never, handler as never);
    });
  };
}
