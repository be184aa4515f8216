// The program inside workerd, with two classes of Durable Objects: one whose storage is backed by SQLite, and one whose
// is not.

import { describeError } from "../suite/job.js";
import { objectTests } from "../suite/objects.js";
import { handle } from "./handler.js";

/** An object that does the test which a request names; the response is empty, or says why it has failed. */
class TestObject {
  constructor({ storage }) {
    this.storage = storage;
  }

  async fetch(request) {
    try {
      await objectTests[await request.text()](this.storage);
      return new Response("");
    } catch (error) {
      return new Response(describeError(error));
    }
  }
}

export class WithSqlite extends TestObject {}
export class WithoutSqlite extends TestObject {}

/** Has an object of its own do each test. */
const inObject = (namespace) => async (name) => {
  const object = namespace.get(namespace.idFromName(name));
  const why = await (await object.fetch("http://object.test/", { method: "POST", body: name })).text();
  if (why !== "") throw new Error(`Inside the object: ${why}`);
};

export default {
  fetch: (request, { WITH_SQLITE, WITHOUT_SQLITE }) => {
    const objects = { "with SQLite": WITH_SQLITE, "without SQLite": WITHOUT_SQLITE };
    const given = Object.entries(objects).filter(([, namespace]) => namespace !== undefined);
    return handle(request, {
      objects: Object.fromEntries(given.map(([kind, namespace]) => [kind, inObject(namespace)])),
    });
  },
};
