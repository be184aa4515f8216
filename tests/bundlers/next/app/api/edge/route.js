// The same in Next's edge runtime.
import { exercise } from "../../../../app/exercise.js";

export const runtime = "edge";

export async function POST(request) {
  return Response.json(await exercise(await request.json()));
}
