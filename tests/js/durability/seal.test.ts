// Sealed snapshots: they open with their key as they were, and in every other case it is said which case it is.

import { webcrypto } from "node:crypto";
import { EngineError, RecoverError, type SealKey, ValidationError, openSnapshot, sealSnapshot } from "stepstream";
import { afterEach, describe, expect, test, vi } from "vitest";
import "../kit/guard.js";

const fingerprint = "0123456789abcdef";

/** What a snapshot looks like from outside, with anything inside. */
function snapshotWith(contents: number, print = fingerprint, sequence = 7n): Uint8Array {
  const bytes = new Uint8Array(24 + contents).map((_, at) => at * 31);
  bytes.set([0x53, 0x54, 0x45, 0x50, 0x53, 1, 0, 0]);
  new DataView(bytes.buffer).setBigUint64(8, BigInt(`0x${print}`), true);
  new DataView(bytes.buffer).setBigUint64(16, sequence, true);
  return bytes;
}

const snapshot = snapshotWith(100);
const secret = "a secret from a secret store";

async function codeOf(promise: Promise<unknown>, kind: unknown = RecoverError): Promise<unknown> {
  const thrown: unknown = await promise.then(
    () => expect.fail("It was accepted."),
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(kind);
  return (thrown as { code: unknown }).code;
}

const { subtle } = globalThis.crypto;
const raw = Uint8Array.from({ length: 32 }, (_, at) => at);
const hkdf = (...usages: KeyUsage[]): Promise<CryptoKey> => subtle.importKey("raw", raw, "HKDF", false, usages);
const hmac = (hash: string, ...usages: KeyUsage[]): Promise<CryptoKey> =>
  subtle.importKey("raw", raw, { name: "HMAC", hash }, false, usages);
const aes = (bytes: number, ...usages: KeyUsage[]): Promise<CryptoKey> =>
  subtle.importKey("raw", raw.subarray(0, bytes), "AES-GCM", false, usages);

const both: [string, () => Promise<SealKey> | SealKey][] = [
  ["a string", () => secret],
  ["a string of 16 characters", () => "0123456789abcdef"],
  ["bytes", () => raw],
  ["bytes of a larger buffer", () => new Uint8Array(64).fill(3).subarray(8, 24)],
  ["an ArrayBuffer", () => raw.slice().buffer],
  ["Node's Buffer", () => Buffer.from(secret)],
  ["a key for HKDF that derives keys", () => hkdf("deriveKey")],
  ["a key for HKDF that derives bits", () => hkdf("deriveBits")],
];

describe("a sealed snapshot opens as it was", () => {
  test.each(both)("with %s, signed or encrypted", async (_, make) => {
    for (const encrypt of [false, true]) {
      const sealed = await sealSnapshot(snapshot, await make(), { encrypt });
      expect(await openSnapshot(sealed, await make())).toEqual(snapshot);
      expect(await openSnapshot(sealed.slice().buffer, await make(), { workflow: { fingerprint } })).toEqual(snapshot);
    }
  });

  test("with a key for HMAC, signed", async () => {
    const key = await hmac("SHA-256", "sign");
    expect(await openSnapshot(await sealSnapshot(snapshot, key), key)).toEqual(snapshot);
  });

  test("with a key for AES-GCM, encrypted", async () => {
    const key = await aes(32, "encrypt", "decrypt");
    const sealed = await sealSnapshot(snapshot, key);
    expect(await openSnapshot(sealed, key)).toEqual(snapshot);
    expect(sealed[6]).toBe(2);
    expect(holds(sealed, snapshot.subarray(24))).toBe(false);
  });

  test("whatever its size", async () => {
    for (const size of [0, 1, 1_000_000]) {
      for (const encrypt of [false, true]) {
        const sealed = await sealSnapshot(snapshotWith(size), secret, { encrypt });
        // Not with `toEqual`, which takes seconds for a million bytes.
        expect(Buffer.compare(await openSnapshot(sealed, secret), snapshotWith(size))).toBe(0);
        expect(sealed.length).toBe(24 + size + (encrypt ? 76 : 80));
      }
    }
  });

  test("with one key, however HKDF gets at it", async () => {
    for (const encrypt of [false, true]) {
      const sealed = await sealSnapshot(snapshot, raw, { encrypt });
      for (const key of [await hkdf("deriveKey"), await hkdf("deriveBits"), raw.slice().buffer]) {
        expect(await openSnapshot(sealed, key)).toEqual(snapshot);
      }
    }
  });

  test("even if the memory is used for something else meanwhile", async () => {
    const given = snapshot.slice();
    const sealing = sealSnapshot(given, secret, { encrypt: true });
    given.fill(0);
    const sealed = await sealing;
    const opening = openSnapshot(sealed, secret);
    sealed.fill(0);
    expect(await opening).toEqual(snapshot);
  });
});

const holds = (bytes: Uint8Array, part: Uint8Array): boolean => Buffer.from(bytes).includes(Buffer.from(part));

describe("the outside of a seal", () => {
  test("shows the fingerprint and the sequence where a snapshot has them", async () => {
    for (const encrypt of [false, true]) {
      const sealed = await sealSnapshot(snapshot, secret, { encrypt });
      expect(sealed.subarray(8, 24)).toEqual(snapshot.subarray(8, 24));
      expect(new TextDecoder().decode(sealed.subarray(0, 5))).toBe("STEPX");
      expect([...sealed.subarray(5, 8)]).toEqual([1, encrypt ? 2 : 1, 0]);
    }
  });

  test("shows neither the key nor, when it is encrypted, the contents", async () => {
    const sealed = await sealSnapshot(snapshot, raw, { encrypt: true });
    expect(holds(sealed, raw.subarray(0, 8))).toBe(false);
    expect(holds(sealed, snapshot.subarray(24, 32))).toBe(false);
    expect(holds(await sealSnapshot(snapshot, raw), snapshot)).toBe(true);
  });

  test("is another each time when it is encrypted", async () => {
    const first = await sealSnapshot(snapshot, secret, { encrypt: true });
    expect(await sealSnapshot(snapshot, secret, { encrypt: true })).not.toEqual(first);
    expect(await sealSnapshot(snapshot, secret)).toEqual(await sealSnapshot(snapshot, secret));
  });
});

/** With a checksum that fits: as made by an attacker who knows the format, but not the key. */
async function withChecksum(sealed: Uint8Array): Promise<Uint8Array> {
  const end = sealed.length - 8;
  sealed.set(new Uint8Array(await subtle.digest("SHA-256", sealed.slice(0, end)), 0, 8), end);
  return sealed;
}

describe.each([
  ["signed", false],
  ["encrypted", true],
])("what is wrong with a seal is distinguished, %s", (_, encrypt) => {
  const seal = (key: SealKey | SealKey[] = secret): Promise<Uint8Array> => sealSnapshot(snapshot, key, { encrypt });

  test("every byte altered", async () => {
    const sealed = await seal();
    for (let at = 0; at < sealed.length; at += 1) {
      for (const change of [1, 0x80, 0xff]) {
        const altered = sealed.slice();
        altered[at]! ^= change;
        const code = await codeOf(openSnapshot(altered, secret));
        // What the bytes are at all is looked at before whose they are.
        if (at < 5) expect(code).toBe("SNAPSHOT_FORMAT");
        else if (at === 5) expect(code).toMatch(/^SNAPSHOT_(FORMAT|VERSION)$/);
        else expect(code, `byte ${at}`).toBe("SEAL_ALTERED");
      }
    }
  });

  test("every end that is missing", async () => {
    const sealed = await seal();
    for (let length = 0; length < sealed.length; length += 1) {
      expect(await codeOf(openSnapshot(sealed.subarray(0, length), secret)), `${length}`).toBe("SNAPSHOT_TRUNCATED");
    }
  });

  test("something behind the end", async () => {
    const sealed = await seal();
    expect(await codeOf(openSnapshot(Uint8Array.of(...sealed, 0), secret))).toBe("SEAL_ALTERED");
    expect(await codeOf(openSnapshot(Uint8Array.of(...sealed, ...sealed), secret))).toBe("SEAL_ALTERED");
  });

  test("two seals mixed", async () => {
    const other = await sealSnapshot(snapshotWith(100, fingerprint, 8n), secret, { encrypt });
    const mixed = await seal();
    mixed.set(other.subarray(40), 40);
    expect(await codeOf(openSnapshot(mixed, secret))).toBe("SEAL_ALTERED");
    expect(await codeOf(openSnapshot(await withChecksum(mixed), secret))).toBe("SEAL_ALTERED");
  });

  test("another key", async () => {
    const sealed = await seal();
    const others = [`${secret}.`, raw, new Uint8Array(16), await hkdf("deriveKey")];
    for (const key of others) expect(await codeOf(openSnapshot(sealed, key))).toBe("SEAL_KEY");
    expect(await codeOf(openSnapshot(sealed, others))).toBe("SEAL_KEY");
  });

  test("a key of another kind", async () => {
    const sealed = await seal(raw);
    for (const key of [await hmac("SHA-256", "sign"), await aes(32, "encrypt", "decrypt")]) {
      expect(await codeOf(openSnapshot(sealed, key))).toBe("SEAL_KEY");
    }
  });

  test("another workflow", async () => {
    const workflow = { fingerprint: "fedcba9876543210" };
    expect(await codeOf(openSnapshot(await seal(), secret, { workflow }))).toBe("SEAL_FOREIGN");
    expect(await codeOf(openSnapshot(await seal(), raw, { workflow }))).toBe("SEAL_KEY");
  });

  test("a forgery whose checksum fits", async () => {
    const sealed = await seal();
    // Everything that is authenticated and has no check of its own: the key id says "another key" by itself.
    for (let at = 40; at < sealed.length - 8; at += 1) {
      const forged = sealed.slice();
      forged[at]! ^= 1;
      expect(await codeOf(openSnapshot(await withChecksum(forged), secret)), `byte ${at}`).toBe("SEAL_ALTERED");
    }
  });

  test("a header exchanged with the checks made to fit", async () => {
    const forged = await seal();
    new DataView(forged.buffer).setBigUint64(16, 1_000n, true);
    let hash = 0x811c9dc5;
    for (const byte of forged.subarray(0, 28)) hash = Math.imul(hash ^ byte, 0x01000193);
    new DataView(forged.buffer).setUint32(28, hash, true);
    expect(await codeOf(openSnapshot(await withChecksum(forged), secret))).toBe("SEAL_ALTERED");
  });

  test("no seal at all", async () => {
    const journal = snapshot.slice();
    journal[4] = "J".charCodeAt(0);
    for (const bytes of [snapshot, journal, new TextEncoder().encode("no seal"), raw]) {
      expect(await codeOf(openSnapshot(bytes, secret))).toBe("SNAPSHOT_FORMAT");
    }
    for (const value of ["text", null, undefined, {}, [1, 2]]) {
      expect(await codeOf(openSnapshot(value as unknown as Uint8Array, secret))).toBe("SNAPSHOT_FORMAT");
    }
  });

  test("keys change: what was sealed with the old one opens until that is taken away", async () => {
    const [old, fresh] = ["the old secret, 16+", "the new secret, 16+"];
    const before = await seal(old);
    const after = await seal([fresh, old]);
    for (const sealed of [before, after]) expect(await openSnapshot(sealed, [fresh, old])).toEqual(snapshot);
    expect(await openSnapshot(after, fresh)).toEqual(snapshot);
    expect(await codeOf(openSnapshot(after, old))).toBe("SEAL_KEY");
    expect(await codeOf(openSnapshot(before, [fresh]))).toBe("SEAL_KEY");
  });
});

describe("what cannot be sealed or used as a key is refused", () => {
  test("bytes that are no snapshot", async () => {
    const sealed = await sealSnapshot(snapshot, secret);
    const journal = snapshot.slice();
    journal[4] = "J".charCodeAt(0);
    for (const bytes of [sealed, journal, raw, Uint8Array.of(1), "text" as unknown as Uint8Array]) {
      expect(await codeOf(sealSnapshot(bytes, secret))).toBe("SNAPSHOT_FORMAT");
    }
    expect(await codeOf(sealSnapshot(snapshot.subarray(0, 20), secret))).toBe("SNAPSHOT_TRUNCATED");
    const newer = snapshot.slice();
    newer[5] = 99;
    expect(await codeOf(sealSnapshot(newer, secret))).toBe("SNAPSHOT_VERSION");
  });

  test("keys that are too short, or none", async () => {
    const keys: unknown[] = ["", "fifteen letters", new Uint8Array(15), new ArrayBuffer(0), [], ["short"], null, 5, {}];
    for (const key of [...keys, [secret, undefined], [[secret]]]) {
      const given = key as SealKey;
      expect(await codeOf(sealSnapshot(snapshot, given), ValidationError)).toBe("INVALID_OPTION");
      expect(await codeOf(openSnapshot(snapshot, given), ValidationError)).toBe("INVALID_OPTION");
    }
  });

  test("keys that are for something else", async () => {
    const keys = [
      await hmac("SHA-512", "sign"),
      await hmac("SHA-256", "verify"),
      await aes(16, "encrypt", "decrypt"),
      await aes(32, "decrypt"),
      await subtle.importKey("raw", raw, "AES-CTR", false, ["encrypt", "decrypt"]),
    ];
    for (const key of keys) {
      expect(await codeOf(sealSnapshot(snapshot, key), ValidationError)).toBe("INVALID_OPTION");
    }
  });

  test("options that contradict the key, or are of the wrong kind", async () => {
    const encrypting = await aes(32, "encrypt", "decrypt");
    const signing = await hmac("SHA-256", "sign");
    const code = (key: SealKey, encrypt: unknown): Promise<unknown> =>
      codeOf(sealSnapshot(snapshot, key, { encrypt: encrypt as boolean }), ValidationError);
    expect(await code(signing, true)).toBe("INVALID_OPTION");
    expect(await code(encrypting, false)).toBe("INVALID_OPTION");
    expect(await code(secret, "yes")).toBe("INVALID_OPTION");
    const sealed = await sealSnapshot(snapshot, secret);
    const workflow = {} as { fingerprint: string };
    expect(await codeOf(openSnapshot(sealed, secret, { workflow }), ValidationError)).toBe("INVALID_OPTION");
  });

  test("a message says what the key lacks, and not what it is", async () => {
    const short = "hunter2";
    await expect(sealSnapshot(snapshot, short)).rejects.toThrow(/^The key has 7 characters; it needs 16 or more/);
    await expect(sealSnapshot(snapshot, short)).rejects.not.toThrow(/hunter2/);
  });
});

describe("without WebCrypto", () => {
  afterEach(() => vi.unstubAllGlobals());

  test.each([
    ["as on a page that is not served over https", { getRandomValues: webcrypto.getRandomValues.bind(webcrypto) }],
    ["as in a runtime that has none", undefined],
  ])("that is said, %s", async (_, crypto) => {
    const sealed = await sealSnapshot(snapshot, secret);
    vi.stubGlobal("crypto", crypto);
    expect(await codeOf(sealSnapshot(snapshot, secret), EngineError)).toBe("NO_WEBCRYPTO");
    expect(await codeOf(openSnapshot(sealed, secret), EngineError)).toBe("NO_WEBCRYPTO");
  });
});
