// Gives the tests of this folder the address of the model: the one that the check has started, or one for this run of vitest alone.
import { startLocalModel } from "../../../scripts/lib/local-model.mjs";

export default async function setup({ provide }) {
  const given = process.env.STEPSTREAM_LOCAL_MODEL;
  const model = given ? JSON.parse(given) : await startLocalModel();
  if (model.reason !== undefined) throw new Error(`There is no local model: ${model.reason}`);
  provide("localModel", { address: model.address, model: model.model });
  return model.stop;
}
