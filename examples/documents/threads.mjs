// A pool of threads for work that keeps a processor busy. The workflow decides what runs when, but the one thread of
// JavaScript cannot run two analyses at the same time.
import { once } from "node:events";
import { Worker } from "node:worker_threads";

export class Threads {
  /** The largest number of threads. They are started when they are first needed. */
  size;
  #program;
  #started = 0;
  #idle = [];
  #queue = [];

  /** @param {URL} program The program of each thread. It replies to each message with one message. */
  constructor(program, size) {
    this.#program = program;
    this.size = size;
  }

  /** Runs a task in the next free thread. Rejects if the task throws or `signal` aborts. */
  async run(task, signal) {
    const thread = await this.#take();
    try {
      signal.throwIfAborted();
      thread.postMessage(task);
      const [result] = await once(thread, "message", { signal });
      this.#give(thread);
      return result;
    } catch (error) {
      // The thread has died, or works on a task that was cancelled. A new thread replaces it.
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

  /** Ends all idle threads. The others end when their tasks are aborted. */
  async close() {
    await Promise.all(this.#idle.splice(0).map((thread) => thread.terminate()));
  }
}
