// A model at a steady pace, in a process of its own: every request gets an answer of so many tokens in the words of Chat Completions, each
// written by itself. Prints its address, and ends with the program that started it.
import { createServer } from "node:http";
import { forms } from "./streams.mjs";

const [tokens, everyMs] = process.argv.slice(2).map(Number);
const { begin, say, end } = forms.chat;
const open = new Set();

setInterval(() => {
  for (const stream of open) {
    if (stream.left > 0) {
      stream.left -= 1;
      stream.response.write(say(" word"));
    } else {
      open.delete(stream);
      stream.response.end(end);
    }
  }
}, everyMs);

const server = createServer((request, response) => {
  request.resume().on("end", () => {
    response.socket.setNoDelay(true);
    response.writeHead(200, { "content-type": "text/event-stream" }).write(begin);
    open.add({ response, left: tokens });
  });
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/v1`));
process.stdin.resume().on("end", () => process.exit(0));
