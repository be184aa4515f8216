// The clients against `@copilotkit/aimock`, a server that speaks all four APIs and was written by others. In a page: tests/browser/llm.test.ts.

import type { LLMock } from "@copilotkit/aimock";
import { afterAll, beforeAll, describe, test } from "vitest";
import "../kit/guard.js";
import { clients, laws } from "./aimock-laws.js";
import { aimock } from "./aimock-server.js";

let mock: LLMock;
beforeAll(async () => {
  mock = await aimock();
});
afterAll(() => mock.stop());

describe.for(Object.entries(clients))("%s", ([, dialect]) => {
  test.for(Object.entries(laws))("%s", ([, law]) => law(dialect, mock.url));
});
