// The entry of the agents, for workerd. The engine is that of the main entry.
import "../workerd.js";

export * from "../../src/agents/index.js";
