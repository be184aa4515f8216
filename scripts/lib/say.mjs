// How the scripts talk: one line per thing that was done, one paragraph per thing that went wrong.
/** Whether the terminal shows colours. */
export const colour = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code) => (text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : String(text));

export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);
export const yellow = paint(33);

export const say = (text) => console.log(text);

export const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** A failure whose message says what to do; shown without a stack trace. */
export class Failure extends Error {}

/** Runs a script's main function; a `Failure` ends it with its own words, anything else is a bug in the script. */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(`\n${red("Stopped.")} ${error.message}`);
    process.exitCode = 1;
  }
}
