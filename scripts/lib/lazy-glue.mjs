// The generated glue makes a TextEncoder when it is imported. Some environments, such as Jest's jsdom, have none, and would
// fail at the import, even in programs that never use the engine. Here the glue is rewritten to make it at the first use.

const EAGER = /^const cachedTextEncoder = (new TextEncoder\(\);)\n([\s\S]*?\n\}\n)/m;

const INDENT = /^(?=.)/gm;

/** The source of the glue with a TextEncoder that is made at its first use. */
export function withLazyEncoder(source) {
  const found = EAGER.exec(source);
  if (found === null)
    throw new Error("The glue has another TextEncoder than expected: adapt scripts/lib/lazy-glue.mjs.");
  const [eager, creation, polyfill] = found;
  const lazy = `let cachedTextEncoder;
function textEncoder() {
    if (cachedTextEncoder === undefined) {
        cachedTextEncoder = ${creation}
${polyfill.replace(INDENT, "        ")}    }
    return cachedTextEncoder;
}
`;
  // The polyfill inside of the function uses the variable; everything else has to call the function.
  const [before, after] = source.split(eager).map((part) => part.replaceAll("cachedTextEncoder.", "textEncoder()."));
  return before + lazy + after;
}
