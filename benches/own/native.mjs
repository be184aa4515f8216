// The engine without JavaScript, measured by cargo: nanoseconds per tick at 1e3, 1e4, 1e5 and 1e6. It stands beside the
// figures of the package so that the engine's own cost can be separated from the boundary's and the promises'.
import { must } from "../../scripts/lib/command.mjs";
import { nativeCargo } from "../../scripts/lib/toolchain.mjs";

const { cargo, env } = await nativeCargo();
const args = ["bench", "--quiet", "--locked", "--bench", "native", "--", "--json"];
const output = await must(cargo, args, "Mend what the compiler reports.", { env });
console.log(output.trimEnd().split("\n").at(-1));
