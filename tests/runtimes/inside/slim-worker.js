// The program inside workerd, with the entries that hold no wasm: it is handed over as the runtime brings it.

import module from "stepstream/stepstream.wasm";
import llmModule from "stepstream/stepstream-llm.wasm";
import { setWasmModule } from "stepstream/slim";
import { setLLMWasmModule } from "stepstream/slim/llm";
import { handle } from "./handler.js";

setWasmModule(module);
setLLMWasmModule(llmModule);

export default { fetch: (request) => handle(request) };
