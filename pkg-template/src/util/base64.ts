// Turns the inlined engine back into bytes. It is here, and not in the entry, because not every runtime has one native
// way; those that have take a fraction of a millisecond for it, the loop takes several.

/** The bytes that a base64 text stands for. */
export function fromBase64(base64: string): Uint8Array<ArrayBuffer> {
  const native = (Uint8Array as { fromBase64?: (base64: string) => Uint8Array<ArrayBuffer> }).fromBase64;
  if (native !== undefined) return native.call(Uint8Array, base64);
  // Where there is one: nothing depends on it. As a property of the global object no bundler brings a polyfill for it.
  const server = globalThis as { Buffer?: { from(text: string, encoding: string): Uint8Array<ArrayBuffer> } };
  if (server.Buffer !== undefined) return server.Buffer.from(base64, "base64");
  const text = atob(base64);
  const { length } = text;
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}
