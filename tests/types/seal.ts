// Seals: which keys are taken, and that a workflow is one that `workflow` takes.
import { type OpenOptions, type SealKey, type SealOptions, openSnapshot, sealSnapshot } from "stepstream";
import { expectValue } from "./helpers.js";

declare const snapshot: Uint8Array;
declare const cryptoKey: CryptoKey;

expectValue<Promise<Uint8Array>>()(sealSnapshot(snapshot, "a secret of some length"));
expectValue<Promise<Uint8Array>>()(openSnapshot(new ArrayBuffer(8), cryptoKey));
sealSnapshot(new ArrayBuffer(8), [new Uint8Array(16), new ArrayBuffer(16), cryptoKey, "x"], { encrypt: true });
openSnapshot(snapshot, ["new", "old"] as const, { workflow: { fingerprint: "0123456789abcdef" } });
const key: SealKey = "x";
const sealing: SealOptions = {};
const opening: OpenOptions = {};

// @ts-expect-error -- a number is no key.
sealSnapshot(snapshot, 5);
// @ts-expect-error -- a text is no snapshot.
sealSnapshot("snapshot", "key");
// @ts-expect-error -- opening finds out by itself whether it is encrypted.
openSnapshot(snapshot, "key", { encrypt: true });
// @ts-expect-error -- a workflow is more than its name.
openSnapshot(snapshot, "key", { workflow: "name" });
export { key, opening, sealing };
