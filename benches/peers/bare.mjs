// The floor: the same handlers with no engine at all. A chain is `await handler(event)` in a loop, a fan-out is
// `Promise.all`. Everything an engine adds (routing, streams, queues, deadlines, errors) is what the ratios show.
class Count {
  constructor(data) {
    this.data = data;
  }
}
class Work {
  constructor(data) {
    this.data = data;
  }
}
class Done {
  constructor(data) {
    this.data = data;
  }
}
class Stop {
  constructor(data) {
    this.data = data;
  }
}

const count = async (_, { data: { left, sum } }) =>
  left === 1 ? new Stop(sum + left) : new Count({ left: left - 1, sum: sum + left });

const work = async (_, event) => new Done({ value: event.data.i * 2 });

export default {
  async chain(n) {
    let event = new Count({ left: n, sum: 0 });
    while (!(event instanceof Stop)) event = await count(undefined, event);
    return event.data;
  },

  async fanOut(n) {
    const inFlight = [];
    for (let i = 0; i < n; i++) inFlight.push(work(undefined, new Work({ i })));
    let sum = 0;
    for (const done of await Promise.all(inFlight)) sum += done.data.value;
    return sum;
  },

  oneStep: async (i) => (await count(undefined, new Count({ left: 1, sum: i }))).data,
};
