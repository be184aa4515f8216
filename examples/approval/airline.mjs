// The world outside: an airline that logs every request in a file, which outlives the processes.
import { appendFile, readFile } from "node:fs/promises";
import path from "node:path";

export class Airline {
  #file;

  constructor(folder) {
    this.#file = path.join(folder, "airline.txt");
  }

  async reserve(city) {
    await this.#write(`reserve a seat to ${city}`);
    return "14C";
  }

  async book(seat) {
    await this.#write(`book seat ${seat}`);
    return `seat ${seat} is booked`;
  }

  async release(seat) {
    await this.#write(`release seat ${seat}`);
    return `seat ${seat} is free again`;
  }

  #write(line) {
    return appendFile(this.#file, `${line}\n`);
  }

  /** All requests so far. */
  async requests() {
    return (await readFile(this.#file, "utf8")).trim().split("\n");
  }
}
