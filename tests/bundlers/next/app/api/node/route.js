// The route in Node.
import { exercise } from "../../../../app/exercise.js";

export async function POST(request) {
  return Response.json(await exercise(await request.json()));
}
