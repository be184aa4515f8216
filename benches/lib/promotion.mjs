// How many bytes a collection of young garbage had to move to the old heap, because something still held them. Old
// garbage is collected by pauses that grow with the heap, so what a step allocates should never get there.
import { GCProfiler } from "node:v8";

const SPACES = ["old_space", "large_object_space"];

const held = ({ heapSpaceStatistics }) =>
  heapSpaceStatistics.reduce((sum, { spaceName, spaceUsedSize }) => {
    return SPACES.includes(spaceName) ? sum + spaceUsedSize : sum;
  }, 0);

/** Does some work, and resolves with `{ bytes, collections }`: those promoted in all of its scavenges. */
export async function promotedBy(work) {
  const profiler = new GCProfiler();
  profiler.start();
  await work();
  const scavenges = profiler.stop().statistics.filter(({ gcType }) => gcType === "Scavenge");
  const bytes = scavenges.reduce((sum, { beforeGC, afterGC }) => sum + held(afterGC) - held(beforeGC), 0);
  return { bytes, collections: scavenges.length };
}
