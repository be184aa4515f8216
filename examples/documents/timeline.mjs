// Measures when each step ran, and draws the steps as bars in lanes. Two invocations of a step that overlap are in two
// lanes.

/** @typedef {{ step: string, lane: number, subject: string, start: number, end: number }} Span */

export class Timeline {
  /** @type {Span[]} */
  spans = [];
  #origin = performance.now();
  #busy = new Map();

  /**
   * Wraps a handler to measure it. `subjectOf` gets the handler's arguments and returns what the invocation is about.
   */
  watch(subjectOf, handler) {
    return async (context, ...events) => {
      const { step } = context;
      const span = { step, lane: this.#enter(step), subject: subjectOf(context, ...events), start: this.now(), end: 0 };
      try {
        return await handler(context, ...events);
      } finally {
        span.end = this.now();
        this.#busy.get(step).delete(span.lane);
        this.spans.push(span);
      }
    };
  }

  /** Milliseconds since the timeline was created. */
  now() {
    return performance.now() - this.#origin;
  }

  /** Reserves the first free lane of a step. */
  #enter(step) {
    const lanes = this.#busy.get(step) ?? new Set();
    this.#busy.set(step, lanes);
    let lane = 1;
    while (lanes.has(lane)) lane += 1;
    lanes.add(lane);
    return lane;
  }

  /** The lanes in the order in which they were first used, each with its spans and its busy time. */
  lanes() {
    const lanes = new Map();
    for (const span of this.spans.toSorted((a, b) => a.start - b.start)) {
      const key = `${span.step} ${span.lane}`;
      const lane = lanes.get(key) ?? { step: span.step, lane: span.lane, start: span.start, busy: 0, spans: [] };
      lane.spans.push(span);
      lane.busy += span.end - span.start;
      lanes.set(key, lane);
    }
    const firstUse = (step) =>
      Math.min(...[...lanes.values()].filter((lane) => lane.step === step).map((lane) => lane.start));
    return [...lanes.values()].sort((a, b) => firstUse(a.step) - firstUse(b.step) || a.lane - b.lane);
  }

  /** Draws a lane: for each of `width` equal times, the mark of what took most of it, or a dot. */
  static draw({ spans }, { from, to, width, markOf }) {
    const cell = (to - from) / width;
    const cells = Array.from({ length: width }, () => new Map());
    for (const { subject, start, end } of spans) {
      const last = Math.min(width - 1, Math.floor((end - from) / cell));
      for (let at = Math.min(width - 1, Math.floor((start - from) / cell)); at <= last; at += 1) {
        const inside = Math.min(end, from + (at + 1) * cell) - Math.max(start, from + at * cell);
        cells[at].set(subject, (cells[at].get(subject) ?? 0) + inside);
      }
    }
    const busiest = (cell) => [...cell].reduce((most, entry) => (entry[1] > most[1] ? entry : most))[0];
    return cells.map((cell) => (cell.size === 0 ? "·" : markOf(busiest(cell)))).join("");
  }
}
