// Bytes as base64 and back. The inlined engine is decoded by a function of the package, because not every runtime has
// one native way; those that have take a fraction of a millisecond for it, the loop takes several.

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

/** How many characters at a time are made of bytes: a call takes only so many arguments. */
const AT_A_TIME = 8192;

/** Bytes as a base64 text. */
export function toBase64(bytes: Uint8Array): string {
  const native = (bytes as { toBase64?: () => string }).toBase64;
  if (native !== undefined) return native.call(bytes);
  let text = "";
  for (let at = 0; at < bytes.length; at += AT_A_TIME) {
    text += String.fromCharCode(...bytes.subarray(at, at + AT_A_TIME));
  }
  return btoa(text);
}
