// Keys for sealed snapshots: checks the keys of users, and derives from them the keys for WebCrypto. Each purpose has a
// key of its own, so that what leaks of one does not weaken another.

import type { Key } from "../util/platform.js";
import { EngineError, ValidationError } from "../errors/errors.js";
import { describe } from "../util/describe.js";
import { asBytes } from "./header.js";

/**
 * A key for sealed snapshots:
 *
 * - a secret of at least 16 random bytes, or a string of at least 16 random characters, such as one from a secret
 *   store. A password is not random enough;
 * - a `CryptoKey` for HKDF, with the usage `deriveBits` or `deriveKey`;
 * - a `CryptoKey` for HMAC with SHA-256 and the usage `sign`, which cannot encrypt;
 * - a `CryptoKey` for AES-GCM of 256 bits, with the usages `encrypt` and `decrypt`, which always encrypts.
 */
export type SealKey = Key | ArrayBuffer | Uint8Array | string;

type Bytes = Uint8Array<ArrayBuffer>;

/** A key, ready for use. */
export interface Sealer {
  /**
   * Whether to encrypt, given the option of the user. @throws ValidationError `INVALID_OPTION` when the key cannot do
   * that.
   */
  decideEncryption(wanted: unknown): boolean;
  /** Eight bytes that identify the key, and reveal nothing about it. */
  id(): Promise<Uint8Array>;
  /** The key for HMAC; undefined when this one cannot be used for it. */
  readonly mac: (() => Promise<CryptoKey>) | undefined;
  /** The key for AES-GCM; undefined when this one cannot be used for it. */
  readonly cipher: (() => Promise<CryptoKey>) | undefined;
}

const shortest = 16;
const advice = `it needs ${shortest} or more, at random.`;
const idLength = 8;
const hmac = { name: "HMAC", hash: "SHA-256", length: 256 } as const;
const aes = { name: "AES-GCM", length: 256 } as const;

/** @throws EngineError `NO_WEBCRYPTO` */
export function webCrypto(): Crypto {
  const found = (globalThis as { crypto?: Partial<Crypto> }).crypto;
  if (found?.subtle === undefined) throw new EngineError("NO_WEBCRYPTO");
  return found as Crypto;
}

function invalid(detail: string): never {
  throw new ValidationError("INVALID_OPTION", detail);
}

const bytesOf = (text: string): Bytes => new TextEncoder().encode(text);

function decideEncryption(wanted: unknown, canSign: boolean, canEncrypt: boolean): boolean {
  if (wanted !== undefined && typeof wanted !== "boolean") invalid(`\`encrypt\` is ${describe(wanted)}.`);
  if (wanted === true && !canEncrypt) invalid("`encrypt` is true, but the key is for HMAC.");
  if (wanted === false && !canSign) invalid("`encrypt` is false, but the key is for AES-GCM.");
  return wanted === true || !canSign;
}

/** A sealer whose keys are derived from a secret by HKDF. */
function derived(secret: () => Promise<CryptoKey>): Sealer {
  const derive = async (
    purpose: string,
    algorithm: typeof aes | typeof hmac,
    usages: KeyUsage[],
  ): Promise<CryptoKey> => {
    const { subtle } = webCrypto();
    const info = bytesOf(`stepstream seal 1 ${purpose}`);
    const by = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info };
    const from = await secret();
    // Both ways give the same key, but some CryptoKeys allow only one of them.
    if (from.usages.includes("deriveKey")) return subtle.deriveKey(by, from, algorithm, false, usages);
    return subtle.importKey("raw", await subtle.deriveBits(by, from, algorithm.length), algorithm, false, usages);
  };
  return {
    mac: () => derive("HMAC-SHA-256", hmac, ["sign"]),
    cipher: () => derive("AES-256-GCM", aes, ["encrypt", "decrypt"]),
    id: async () => signedId(await derive("key id", hmac, ["sign"])),
    decideEncryption: (wanted) => decideEncryption(wanted, true, true),
  };
}

async function signedId(key: CryptoKey): Promise<Uint8Array> {
  // No sealed snapshot begins with these letters.
  return new Uint8Array(await webCrypto().subtle.sign("HMAC", key, bytesOf("stepstream key id")), 0, idLength);
}

/** The beginning of the key's stream for a nonce that no snapshot has: theirs are random. */
async function encryptedId(key: CryptoKey): Promise<Uint8Array> {
  const by = { name: "AES-GCM", iv: new Uint8Array(12).fill(255) };
  return new Uint8Array(await webCrypto().subtle.encrypt(by, key, new Uint8Array(idLength)), 0, idLength);
}

function fromSecret(bytes: Bytes): Sealer {
  return derived(() => webCrypto().subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey"]));
}

function fromCryptoKey(key: CryptoKey): Sealer {
  const allows = (...usages: KeyUsage[]): boolean => usages.every((usage) => key.usages.includes(usage));
  const algorithm = key.algorithm as KeyAlgorithm & {
    readonly hash?: { readonly name: string };
    readonly length?: number;
  };
  const itself = (): Promise<CryptoKey> => Promise.resolve(key);
  switch (algorithm.name) {
    case "HKDF":
      if (!allows("deriveKey") && !allows("deriveBits")) invalid("The key for HKDF allows no derivation.");
      return derived(itself);
    case "HMAC":
      if (algorithm.hash?.name !== "SHA-256") invalid("The key for HMAC is not for SHA-256.");
      if (!allows("sign")) invalid("The key for HMAC does not allow `sign`.");
      return {
        mac: itself,
        cipher: undefined,
        id: () => signedId(key),
        decideEncryption: (wanted) => decideEncryption(wanted, true, false),
      };
    case "AES-GCM":
      if (algorithm.length !== 256) invalid("The key for AES-GCM has not 256 bits.");
      if (!allows("encrypt", "decrypt")) invalid("The key for AES-GCM does not allow both `encrypt` and `decrypt`.");
      return {
        mac: undefined,
        cipher: itself,
        id: () => encryptedId(key),
        decideEncryption: (wanted) => decideEncryption(wanted, false, true),
      };
    default:
      return invalid(`The key is for ${algorithm.name}; HKDF, HMAC and AES-GCM can be used.`);
  }
}

function sealerOf(key: unknown): Sealer {
  if (typeof key === "string") {
    if (key.length < shortest) invalid(`The key has ${key.length} characters; ${advice}`);
    return fromSecret(bytesOf(key));
  }
  // By the tag, because keys and bytes may be of another realm.
  const tag = Object.prototype.toString.call(key);
  if (tag === "[object CryptoKey]") return fromCryptoKey(key as CryptoKey);
  if (tag !== "[object ArrayBuffer]" && !ArrayBuffer.isView(key)) {
    invalid(`A key is a CryptoKey, bytes or a string; this is ${describe(key)}.`);
  }
  const bytes = new Uint8Array(asBytes(key));
  if (bytes.length < shortest) invalid(`The key has ${bytes.length} bytes; ${advice}`);
  return fromSecret(bytes);
}

/** The sealers for the keys of a user. @throws ValidationError `INVALID_OPTION`; EngineError `NO_WEBCRYPTO` */
export function sealers(keys: SealKey | readonly SealKey[]): readonly [Sealer, ...Sealer[]] {
  webCrypto();
  const list: readonly SealKey[] = Array.isArray(keys) ? keys : [keys as SealKey];
  if (list.length === 0) invalid("The list of keys is empty.");
  return list.map(sealerOf) as [Sealer, ...Sealer[]];
}
