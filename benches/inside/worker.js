// The program inside workerd: a request brings a job.
import { perform } from "./job.js";

export default {
  async fetch(request) {
    return Response.json([await perform(await request.json())]);
  },
};
