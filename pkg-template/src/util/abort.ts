// One listener on a signal, however many wait for it.

/** Calls back when a signal is aborted; returns how to stop listening. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  signal.addEventListener("abort", callback);
  return () => signal.removeEventListener("abort", callback);
}
