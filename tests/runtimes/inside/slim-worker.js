// The program inside workerd, with the entries that hold no wasm: it is handed over as the runtime brings it.

import module from "stepstream/stepstream.wasm";
import { setWasmModule } from "stepstream/slim";
import { handle } from "./handler.js";

setWasmModule(module);

export default { fetch: handle };
