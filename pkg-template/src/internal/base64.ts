// Turns the inlined engine back into bytes. It is here, and not in the entry, because `atob` gives text: every
// runtime has it, while `Uint8Array.fromBase64` is still missing from some.

/** The bytes that a base64 text stands for. */
export function fromBase64(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}
