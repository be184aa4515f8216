// From the numbers in which the modules answer to codes.

import { type Code, codes } from "./codes.js";

/** The code that belongs to a number. */
export function codeOf(number: number): Code {
  const found = (Object.keys(codes) as Code[]).find((code) => codes[code].number === number);
  return found ?? "ENGINE_PANICKED";
}
