// The workflow that both processes share: it holds a seat, asks a person, and books or lets go.
import { HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow } from "stepstream";

export class Question extends InputRequiredEvent {
  static type = "question";
}

export class Answer extends HumanResponseEvent {
  static type = "answer";
}

export const workflow = new Workflow({
  name: "booking",
  timeout: null, // A person may take all day.
  events: [Question, Answer], // No step takes or returns them, and the process that recovers has to know them.
});

workflow.addStep(
  { name: "book", inputs: [StartEvent], outputs: [StopEvent] },
  async ({ data: { airline, say }, once, waitForEvent }, { data: city }) => {
    say(`step "book" begins`);
    // After a recovery the step begins again, and `once` gives back what it gave before: no second seat is held.
    const seat = await once("hold", () => airline.hold(city));
    const answer = await waitForEvent(Answer, { ask: new Question(`Book seat ${seat} to ${city}?`) });
    if (answer.data !== "yes") return new StopEvent(await once("release", () => airline.release(seat)));
    return new StopEvent(await once("book", () => airline.book(seat)));
  },
);
