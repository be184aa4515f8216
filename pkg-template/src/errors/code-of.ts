// From the numbers in which the modules answer to codes.

import { type Code, type CodeInfo, codes } from "./codes.js";

/** The code that belongs to a number. */
export function codeOf(number: number): Code {
  const table: Readonly<Record<Code, CodeInfo>> = codes;
  return (Object.keys(codes) as Code[]).find((code) => table[code].number === number) ?? "ENGINE_PANICKED";
}
