// How other parts of the package learn of the changes of a run. Programs use `idle` and the events.

/** The key of a run's method that lets it be observed. It is no part of the public API. */
export const observe: unique symbol = Symbol("stepstream.observe");

/** What observing a run gives. */
export interface Observation {
  /** Tells the program that something is probably not as it is meant, by the workflow's `onWarning`. */
  warn(message: string): void;
  /** Ends it: the listener is not called any more. */
  stop(): void;
}

/** A run that can be observed. */
export interface ObservableRun {
  /** Calls a function whenever the run's status has changed. It must not touch the run before it returns. */
  [observe](listener: () => void): Observation;
}
