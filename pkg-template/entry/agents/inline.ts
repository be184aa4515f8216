// The entry of the agents, where the engine travels inside the JavaScript. The engine is that of the main entry.
import "../inline.js";

export * from "../../src/agents/index.js";
