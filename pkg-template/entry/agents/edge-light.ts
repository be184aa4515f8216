// The entry of the agents, for Vercel's edge runtime. The engine is that of the main entry.
import "../edge-light.js";

export * from "../../src/agents/index.js";
