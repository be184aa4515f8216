// The names of the files of snapshots. Their order is that of the snapshots.

/** The file of a snapshot. */
export interface Version {
  readonly name: string;
  /** The claim under which it was saved or adopted; 0 when the run was never claimed. */
  readonly epoch: number;
  readonly sequence: bigint;
  /** The number of the save of that sequence, from 0. */
  readonly again: number;
}

/**
 * The epoch, if there is one; the sequence; the number of the save of that sequence; and a UUID, because two processes
 * may count the same.
 */
const SNAPSHOT = /^(?:e([0-9a-f]{8})-)?([0-9a-f]{16})-([0-9a-f]{8})-[0-9a-f-]{36}\.snapshot$/;

const hex = (number: bigint | number, digits: number): string => number.toString(16).padStart(digits, "0");

/** The name of a file. */
export function nameOf(epoch: number, sequence: bigint, again: number, uuid: string): string {
  return `${epoch === 0 ? "" : `e${hex(epoch, 8)}-`}${hex(sequence, 16)}-${hex(again, 8)}-${uuid}.snapshot`;
}

/** The snapshot of a name; undefined for other names. */
export function versionOf(name: string): Version | undefined {
  const [, epoch = "0", sequence, again] = SNAPSHOT.exec(name) ?? [];
  if (sequence === undefined) return undefined;
  return { name, epoch: Number(`0x${epoch}`), sequence: BigInt(`0x${sequence}`), again: Number(`0x${again}`) };
}

/** The order of snapshots: negative when the first is the earlier one. */
export function compare(one: Version, other: Version): number {
  if (one.epoch !== other.epoch) return one.epoch - other.epoch;
  if (one.sequence !== other.sequence) return one.sequence < other.sequence ? -1 : 1;
  if (one.again !== other.again) return one.again - other.again;
  return one.name < other.name ? -1 : Number(one.name > other.name);
}
