// Nothing but where the packages are: Next itself is outside the project, and Turbopack looks no further than the root that it is given.
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../..");

export default { turbopack: { root }, outputFileTracingRoot: root };
