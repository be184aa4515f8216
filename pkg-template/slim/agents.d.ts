// The types of "stepstream/slim/agents": those of "stepstream/agents". The engine is handed over with setWasmModule of "stepstream/slim".
export * from "../agents.js";
