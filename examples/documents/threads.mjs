// A pool of threads for work that keeps a processor busy. A workflow decides what runs when; JavaScript's one thread could
// not run two analyses at once.
import { once } from "node:events";
import { Worker } from "node:worker_threads";

export class Threads {
  /** How many there are at most; they are started when they are first needed. */
  size;
  #program;
  #started = 0;
  #idle = [];
  #queue = [];

  /** @param {URL} program What each thread runs: answers each message with one message. */
  constructor(program, size) {
    this.#program = program;
    this.size = size;
  }

  /** Gives a task to the next free thread; rejects when the task throws, or `signal` is aborted. */
  async run(task, signal) {
    const thread = await this.#take();
    try {
      signal.throwIfAborted();
      thread.postMessage(task);
      const [answer] = await once(thread, "message", { signal });
      this.#give(thread);
      return answer;
    } catch (error) {
      // It has died, or works on something that nobody wants any more: a fresh one takes its place.
      await thread.terminate();
      this.#started -= 1;
      if (this.#queue.length > 0) this.#give(this.#start());
      throw error;
    }
  }

  #start() {
    this.#started += 1;
    return new Worker(this.#program);
  }

  #take() {
    if (this.#idle.length > 0) return this.#idle.pop();
    if (this.#started < this.size) return this.#start();
    return new Promise((resolve) => this.#queue.push(resolve));
  }

  #give(thread) {
    const next = this.#queue.shift();
    if (next === undefined) this.#idle.push(thread);
    else next(thread);
  }

  /** Ends all threads that are idle. Those at work end with the tasks' signals. */
  async close() {
    await Promise.all(this.#idle.splice(0).map((thread) => thread.terminate()));
  }
}
