// The same in the edge runtime, as an API route of the pages router.
import { exercise } from "../../../app/exercise.js";

export const config = { runtime: "edge" };

export default async function handler(request) {
  return Response.json(await exercise(await request.json()));
}
