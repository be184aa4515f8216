// The workflow that both processes share: it reserves a seat, asks a person, and books or releases the seat.
import { HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow } from "stepstream";

export class Question extends InputRequiredEvent {
  static type = "question";
}

export class Answer extends HumanResponseEvent {
  static type = "answer";
}

export const workflow = new Workflow({
  name: "booking",
  timeout: null, // People take their time.
  events: [Question, Answer], // No step takes or returns them, so the process that recovers a run knows them from here.
});

workflow.addStep(
  { name: "book", inputs: [StartEvent], outputs: [StopEvent] },
  async ({ data: { airline, say }, once, waitForEvent }, { data: city }) => {
    say(`step "book" begins`);
    // After a recovery the step runs again from here. `once` then returns the earlier result, so no second seat is
    // reserved.
    const seat = await once("reserve", () => airline.reserve(city));
    const answer = await waitForEvent(Answer, { ask: new Question(`Book seat ${seat} to ${city}?`) });
    if (answer.data !== "yes") return new StopEvent(await once("release", () => airline.release(seat)));
    return new StopEvent(await once("book", () => airline.book(seat)));
  },
);
