// The entry of the agents without the wasm bytes: they run in the engine that `stepstream/slim` was given.
export * from "../../src/agents/index.js";
