// What the model of the documents' programs says. Each entry is a question of a user and the model's messages in that
// turn: a text, or the calls of tools that it asks for.
import type { Answer } from "./provider.ts";

export const answers: readonly (readonly [question: string, ...turns: Answer[]])[] = [
  [
    "Do I need an umbrella in Oslo?",
    [{ name: "weather", arguments: { city: "Oslo" } }],
    "Yes, take an umbrella: it is 14 °C and raining in Oslo.",
  ],
  ["Name the longest river of Europe.", "The Volga."],
  ["Write one line about it.", "Wide and slow, the Volga carries half a continent to the Caspian Sea."],
  ["Which is the largest city of Portugal?", '{"city":"Lisbon","people":567131}'],
  [
    "What is (123 + 456) * 789?",
    [{ name: "add", arguments: { a: 123, b: 456 } }],
    [{ name: "multiply", arguments: { a: 579, b: 789 } }],
    "It is 456,831.",
  ],
  [
    "Pay Grace the 250 pounds.",
    [{ name: "pay", arguments: { to: "Grace", pounds: 250 } }],
    "I could not pay Grace: it is too much.",
  ],
  ["Pay Ada the 20 pounds.", [{ name: "pay", arguments: { to: "Ada", pounds: 20 } }], "Ada has her 20 pounds."],
  ["My name is Ada.", "Hello Ada!"],
  ["What is my name?", "Your name is Ada."],
  ["How many letters does it have?", "It has three letters."],
  ["Note that I need milk too.", [{ name: "remember", arguments: { note: "milk" } }], "I added milk to your notes."],
  [
    "Write a line about the moon.",
    [{ name: "handoff", arguments: { toAgent: "writer", reason: "It is about a text." } }],
    "The moon has no wind, so footprints stay.",
  ],
  [
    "Plan a short trip to a city with trams.",
    "Three days in Lisbon, with tram 28 on the first.",
    '{"city":"Lisbon","days":3}',
  ],
  ["Describe rain.", "Rain is water that falls from the sky in many small drops.", "Water, falling."],
  ["Tell me a joke about pirates.", "Why do pirates write in C? They get lost in R."],
];
