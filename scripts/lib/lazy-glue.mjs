// The generated glue makes a TextEncoder when it is imported. Some environments, such as Jest's jsdom, have none, and would
// fail at the import, even in programs that never use the engine. Here the glue is rewritten to make it at the first use.

/** The creation, and a polyfill of `encodeInto`, which every supported runtime has. */
const EAGER = /^const cachedTextEncoder = new TextEncoder\(\);\n[\s\S]*?\n\}\n/m;

const LAZY = `let cachedTextEncoder;
const textEncoder = () => (cachedTextEncoder ??= new TextEncoder());
`;

/** The documentation, which is in the declarations too. Nobody downloads it, so it does not count as glue. */
const DOCUMENTATION = /^\/\*\*\n( \*.*\n)+/gm;

/** The source of the glue with a TextEncoder that is made at its first use, and without documentation. */
export function withLazyEncoder(source) {
  if (!EAGER.test(source)) throw new Error("The glue has changed: adapt scripts/lib/lazy-glue.mjs.");
  return source.replace(EAGER, LAZY).replaceAll("cachedTextEncoder.", "textEncoder().").replace(DOCUMENTATION, "");
}
