// Steps as decorated methods.

import type { EventClass, EventInput } from "../model/events.js";
import type { EventsOf, HandlerContext, StepHandler, StepParameters } from "../model/handler-context.js";
import type { Slots } from "../model/nested.js";
import type { Workflow } from "./workflow.js";

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
  const Inputs extends readonly [EventInput, ...EventInput[]],
  const Outputs extends readonly EventClass[] = readonly EventClass[],
>(parameters: StepParameters<Inputs, Outputs>) {
  type Method<Self, Data, NestedSlots extends Slots> = (
    this: Self,
    context: HandlerContext<Data, NestedSlots>,
    ...events: EventsOf<Inputs>
  ) => ReturnType<StepHandler<unknown, Inputs, Outputs>>;

  return function <Data, Start, Stop, NestedSlots extends Slots, Self extends Workflow<Data, Start, Stop, NestedSlots>>(
    method: Method<Self, Data, NestedSlots>,
    context: ClassMethodDecoratorContext<Self, Method<Self, Data, NestedSlots>>,
  ): void {
    const name = parameters.name ?? String(context.name);
    context.addInitializer(function (this: Self) {
      // Looked up at each call: a subclass may have overridden the method, decorated or not.
      const handler: StepHandler<Data, Inputs, Outputs, NestedSlots> = (handlerContext, ...events) =>
        (context.access.get(this) ?? method).call(this, handlerContext, ...events);
      this.addStep({ ...parameters, name, override: true }, handler);
    });
  };
}
