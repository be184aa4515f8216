// One listener for each AbortSignal, however many wait for it. A signal is often shared by many calls, and Node prints
// a MaxListenersExceededWarning from the eleventh listener on.

/** A signal's listener, and the callbacks that it calls. */
interface Listener {
  readonly callbacks: Set<{ readonly call: () => void }>;
  readonly handle: () => void;
}

// Weak, so that a signal that is dropped takes its entry with it.
const listeners = new WeakMap<AbortSignal, Listener>();

const nothing = (): void => undefined;

function listen(signal: AbortSignal): Listener {
  const callbacks: Listener["callbacks"] = new Set();
  const handle = (): void => {
    release(signal);
    let failure: { readonly error: unknown } | undefined;
    for (const callback of callbacks) {
      // A callback that was removed by an earlier one is not in the set any more.
      callbacks.delete(callback);
      try {
        callback.call();
      } catch (error) {
        failure ??= { error };
      }
    }
    // As with listeners of their own: all are called, and the runtime reports the error.
    if (failure !== undefined) throw failure.error;
  };
  const listener = { callbacks, handle };
  listeners.set(signal, listener);
  signal.addEventListener("abort", handle);
  return listener;
}

function release(signal: AbortSignal): void {
  signal.removeEventListener("abort", listeners.get(signal)!.handle);
  listeners.delete(signal);
}

/**
 * Calls a function when a signal aborts: at most once, and at once when the signal has aborted already. Any number of
 * callers share one listener on the signal, which is removed when the last of them has left.
 *
 * ```ts
 * const leave = onAbort(signal, () => reject(signal.reason));
 * promise.finally(leave);
 * ```
 *
 * @param signal Any object with the members of an AbortSignal; nothing happens without one.
 * @returns Withdraws the function. Calling it again, or after the abort, does nothing.
 */
export function onAbort(signal: AbortSignal | undefined, call: () => void): () => void {
  if (signal === undefined) return nothing;
  if (signal.aborted) {
    call();
    return nothing;
  }
  const listener = listeners.get(signal) ?? listen(signal);
  const callback = { call };
  listener.callbacks.add(callback);
  return () => {
    const isLast = listener.callbacks.delete(callback) && listener.callbacks.size === 0;
    if (isLast && listeners.get(signal) === listener) release(signal);
  };
}

/** Throws the reason of a signal that has aborted; polyfills often lack the method of that name. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw signal.reason;
}
