// What the model of the documents' programs says. Each entry is a question of a user and the model's messages in that turn: a text,
// or the calls of tools that it asks for.
import type { Answer } from "./provider.ts";

export const answers: readonly (readonly [question: string, ...turns: Answer[]])[] = [
  [
    "Do I need an umbrella in Oslo?",
    [{ name: "weather", arguments: { city: "Oslo" } }],
    "Yes, take an umbrella: it is 14 °C and raining in Oslo.",
  ],
  ["Tell me a joke about pirates.", "Why do pirates write in C? They get lost in R."],
];
