// Sealed snapshots: for snapshots that pass through hands which are not trusted, such as a browser that keeps the server's
// run. WebCrypto does the work; the layout is below.

import { RecoverError, ValidationError } from "./errors.js";
import { asBytes, headerLength, readHeader, writeHeader } from "./internal/header.js";
import type { AnyWorkflow } from "./internal/run.js";
import { type Sealer, sealers, webCrypto } from "./internal/seal-keys.js";

/**
 * What a snapshot is sealed with:
 *
 * - a secret of at least 16 random bytes, or a string of at least 16 random characters, such as one from a secret store. A
 *   password is not random enough;
 * - a `CryptoKey` for HKDF, with the usage `deriveBits` or `deriveKey`;
 * - a `CryptoKey` for HMAC with SHA-256 and the usage `sign`, which cannot encrypt;
 * - a `CryptoKey` for AES-GCM of 256 bits, with the usages `encrypt` and `decrypt`, which always encrypts.
 */
export type SealKey = CryptoKey | ArrayBuffer | Uint8Array | string;

/** Options of {@link sealSnapshot}. */
export interface SealOptions {
  /**
   * Whether the contents are encrypted (AES-256-GCM), and not only protected against changes (HMAC-SHA-256). Default: false, but
   * true with a key for AES-GCM.
   */
  readonly encrypt?: boolean;
}

/** Options of {@link openSnapshot}. */
export interface OpenOptions {
  /** Refuses the snapshots of other workflows than this one. Default: all are opened, and `recover` refuses. */
  readonly workflow?: { readonly fingerprint: string };
}

// Layout; numbers are little-endian:
//
//   0  24  the header, with the kind 'X', the mode, and the fingerprint and the sequence of the snapshot inside
//  24   4  length of the body
//  28   4  FNV-1a of all bytes before, so that an altered length is not taken for a truncation
//  32   8  key id
//  40   …  HMAC: the snapshot as the body, and 32 bytes of HMAC over all bytes before
//          AES-GCM: 12 bytes of nonce, and the ciphertext with its tag as the body; all bytes before the body are authenticated, too
//       8  beginning of the SHA-256 of all bytes before: tells accidents from a wrong key, and has no say in what is trusted
const headerCheckAt = headerLength + 4;
const keyIdAt = headerLength + 8;
const bodyAt = keyIdAt + 8;
const checksumLength = 8;
const nonceLength = 12;
const tagLength = 16;
const macLength = 32;

// The modes.
const SIGNED = 1;
const ENCRYPTED = 2;

function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

async function checksumOf(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await webCrypto().subtle.digest("SHA-256", bytes), 0, checksumLength);
}

/** Looks at all bytes whatever they are, so that the time it takes says nothing about where they differ. */
function areEqual(left: Uint8Array, right: Uint8Array): boolean {
  let different = left.length ^ right.length;
  left.forEach((byte, at) => (different |= byte ^ (right[at] ?? 0)));
  return different === 0;
}

async function sign(key: CryptoKey, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await webCrypto().subtle.sign("HMAC", key, bytes));
}

/** What AES-GCM wants to know beside the key and the contents. */
function gcm(before: Uint8Array<ArrayBuffer>): AesGcmParams {
  return { name: "AES-GCM", iv: before.subarray(bodyAt), additionalData: before, tagLength: 8 * tagLength };
}

/** How long what stands around the body is. */
function around(isEncrypted: boolean): { bodyFrom: number; after: number } {
  return isEncrypted
    ? { bodyFrom: bodyAt + nonceLength, after: checksumLength }
    : { bodyFrom: bodyAt, after: macLength + checksumLength };
}

/**
 * Seals a snapshot, so that {@link openSnapshot} can tell whether it is still what was sealed. The workflow's fingerprint and
 * the snapshot's place in the run are bound in, and remain readable, so that stores can keep sealed snapshots as they keep
 * others. A seal does not say that a snapshot is the latest: an older one of the same run opens as well.
 *
 * ```ts
 * const sealed = await sealSnapshot(context.snapshot(), env.SNAPSHOT_SECRET, { encrypt: true });
 * const snapshot = await openSnapshot(sealed, env.SNAPSHOT_SECRET, { workflow });
 * const later = workflow.recover(snapshot);
 * ```
 *
 * @param key A key; of several, the first is used.
 * @throws RecoverError `SNAPSHOT_FORMAT` when it is not a snapshot, `SNAPSHOT_VERSION`, `SNAPSHOT_TRUNCATED`; ValidationError
 * `INVALID_OPTION` when the key cannot be used; EngineError `NO_WEBCRYPTO` where there is no WebCrypto.
 */
export async function sealSnapshot(
  snapshot: ArrayBuffer | Uint8Array,
  key: SealKey | readonly SealKey[],
  options: SealOptions = {},
): Promise<Uint8Array> {
  const plain = asBytes(snapshot);
  const { kind, version, fingerprint, sequence } = readHeader(plain);
  if (kind !== "S") throw new RecoverError("SNAPSHOT_FORMAT");
  const [sealer] = sealers(key);
  const isEncrypted = sealer.decideEncryption(options.encrypt);

  const { bodyFrom, after } = around(isEncrypted);
  const bodyLength = plain.length + (isEncrypted ? tagLength : 0);
  const bodyTo = bodyFrom + bodyLength;
  const sealed = new Uint8Array(bodyTo + after);
  writeHeader(sealed, { kind: "X", version, mode: isEncrypted ? ENCRYPTED : SIGNED, fingerprint, sequence });
  const view = new DataView(sealed.buffer);
  view.setUint32(headerLength, bodyLength, true);
  view.setUint32(headerCheckAt, fnv1a(sealed.subarray(0, headerCheckAt)), true);
  // Before anything is awaited: then the caller may use the memory for something else.
  sealed.set(plain, bodyFrom);

  sealed.set(await sealer.id(), keyIdAt);
  if (isEncrypted) {
    webCrypto().getRandomValues(sealed.subarray(bodyAt, bodyFrom));
    const contents = sealed.subarray(bodyFrom, bodyFrom + plain.length);
    const by = gcm(sealed.subarray(0, bodyFrom));
    sealed.set(new Uint8Array(await webCrypto().subtle.encrypt(by, await sealer.cipher!(), contents)), bodyFrom);
  } else {
    sealed.set(await sign(await sealer.mac!(), sealed.subarray(0, bodyTo)), bodyTo);
  }
  const checksumAt = sealed.length - checksumLength;
  sealed.set(await checksumOf(sealed.subarray(0, checksumAt)), checksumAt);
  return sealed;
}

/**
 * Opens a sealed snapshot: the bytes that were given to {@link sealSnapshot}.
 *
 * @param key The key it was sealed with, or several, one of which it may have been sealed with: to change keys, put the new one
 * in front of the old one, and take the old one away when what was sealed with it is gone.
 * @throws RecoverError `SEAL_KEY` when it was sealed with another key, `SEAL_ALTERED` when it is not what was sealed,
 * `SEAL_FOREIGN` when it belongs to another workflow than `options.workflow`, `SNAPSHOT_TRUNCATED` when its end is missing,
 * `SNAPSHOT_FORMAT` when it is not a sealed snapshot, `SNAPSHOT_VERSION`; ValidationError `INVALID_OPTION` when the key
 * cannot be used; EngineError `NO_WEBCRYPTO` where there is no WebCrypto.
 */
export async function openSnapshot(
  sealed: ArrayBuffer | Uint8Array,
  key: SealKey | readonly SealKey[],
  options: OpenOptions = {},
): Promise<Uint8Array> {
  // A copy: what has been checked must be what is opened, whatever the caller does meanwhile.
  const bytes = new Uint8Array(asBytes(sealed));
  const candidates = sealers(key);
  const expected: unknown = options.workflow?.fingerprint;
  if (options.workflow !== undefined && typeof expected !== "string") {
    throw new ValidationError("INVALID_OPTION", "`workflow` has no fingerprint.");
  }
  const { kind, version, mode, fingerprint } = readHeader(bytes);
  if (kind !== "X") throw new RecoverError("SNAPSHOT_FORMAT");
  const isEncrypted = mode === ENCRYPTED;
  await checkIntegrity(bytes, around(isEncrypted));
  if (!isEncrypted && mode !== SIGNED) throw new RecoverError("SNAPSHOT_FORMAT");
  const sealer = await find(candidates, bytes.subarray(keyIdAt, bodyAt), isEncrypted);
  const contents = await (isEncrypted ? decrypt(await sealer.cipher!(), bytes) : verify(await sealer.mac!(), bytes));
  if (contents === undefined) throw new RecoverError("SEAL_ALTERED", "It was changed by somebody without the key.");
  if (expected !== undefined && fingerprint !== expected) {
    const { firstFingerprint } = options.workflow as Partial<Pick<AnyWorkflow, "firstFingerprint">>;
    if (version !== 1 || fingerprint !== firstFingerprint) throw new RecoverError("SEAL_FOREIGN");
  }
  return contents;
}

/** Whether the bytes are all there and as they were, as far as can be told without a key. */
async function checkIntegrity(
  bytes: Uint8Array<ArrayBuffer>,
  { bodyFrom, after }: { bodyFrom: number; after: number },
): Promise<void> {
  if (bytes.length < keyIdAt) throw new RecoverError("SNAPSHOT_TRUNCATED");
  const view = new DataView(bytes.buffer);
  if (view.getUint32(headerCheckAt, true) !== fnv1a(bytes.subarray(0, headerCheckAt))) {
    throw new RecoverError("SEAL_ALTERED");
  }
  const length = bodyFrom + view.getUint32(headerLength, true) + after;
  if (bytes.length < length) throw new RecoverError("SNAPSHOT_TRUNCATED");
  const checksumAt = bytes.length - checksumLength;
  const isIntact = areEqual(await checksumOf(bytes.subarray(0, checksumAt)), bytes.subarray(checksumAt));
  if (bytes.length > length || !isIntact) throw new RecoverError("SEAL_ALTERED");
}

/** The key that was used. */
async function find(candidates: readonly Sealer[], id: Uint8Array, isEncrypted: boolean): Promise<Sealer> {
  for (const sealer of candidates) {
    const isFit = (isEncrypted ? sealer.cipher : sealer.mac) !== undefined;
    if (isFit && areEqual(await sealer.id(), id)) return sealer;
  }
  throw new RecoverError("SEAL_KEY");
}

async function verify(key: CryptoKey, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined> {
  const macAt = bytes.length - checksumLength - macLength;
  const expected = await sign(key, bytes.subarray(0, macAt));
  return areEqual(expected, bytes.subarray(macAt, macAt + macLength)) ? bytes.slice(bodyAt, macAt) : undefined;
}

async function decrypt(key: CryptoKey, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined> {
  const bodyFrom = bodyAt + nonceLength;
  const body = bytes.subarray(bodyFrom, bytes.length - checksumLength);
  try {
    return new Uint8Array(await webCrypto().subtle.decrypt(gcm(bytes.subarray(0, bodyFrom)), key, body));
  } catch {
    // The one thing that can go wrong here: the tag does not fit.
    return undefined;
  }
}
