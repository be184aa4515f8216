// The program inside workerd.

import { handle } from "./handler.js";

export default { fetch: handle };
