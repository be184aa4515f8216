// What lives in the engine's memory, and when it is freed.

import { EngineError } from "../errors/errors.js";
import { ask } from "./engine-calls.js";
import { engine, engineModule } from "./engine-module.js";

type Free = "graph_free" | "engine_free" | "snapshot_free" | "replay_free";

interface Held {
  readonly handle: number;
  readonly instance: number;
  readonly free: Free;
}

function release({ handle, instance, free }: Held): void {
  // What was in an instance that is gone is gone with it.
  if (instance !== engineModule.number) return;
  try {
    ask(() => engine()[free](handle));
  } catch {
    // A trap: the runs that it concerns learn of it in another way.
  }
}

/** Frees what programs abandoned. Made at first use: nothing may happen at module scope. */
let net: FinalizationRegistry<Held> | undefined;

/** Something that lives in the engine's memory. */
export class EngineResource {
  readonly #held: Held;
  #isFreed = false;
  #isWatched = false;

  constructor(handle: number, free: Free) {
    this.#held = { handle, instance: engineModule.number, free };
  }

  /** From now on the resource is freed at the latest when its owner is collected. */
  watch(owner: object): this {
    if (this.#isFreed || this.#isWatched) return this;
    this.#isWatched = true;
    net ??= new FinalizationRegistry(release);
    net.register(owner, this.#held, this);
    return this;
  }

  /**
   * @throws EngineError when it was in an instance that is gone: the next one may have given the number to something
   * else.
   */
  get handle(): number {
    if (this.isStale) throw new EngineError("ENGINE_PANICKED");
    return this.#held.handle;
  }

  /** Whether it was in an instance that is gone. */
  get isStale(): boolean {
    return this.#held.instance !== engineModule.number;
  }

  free(): void {
    if (this.#isFreed) return;
    this.#isFreed = true;
    if (this.#isWatched) net!.unregister(this);
    release(this.#held);
  }
}
