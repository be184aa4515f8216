// What a token costs on its way from the socket to the program, in processor time of the reading process: to
// stepstream's agent and to the AI SDK's streamText, side by side at the same local server. The client alone stands
// beside them, and the floor: a loop that reads the body of the response and nothing more.
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { median } from "../lib/stats.mjs";

const TOKENS = 1_000;
const STREAMS = 8;
const EVERY_MS = 2;
const ROUNDS = 3;

const file = (name) => fileURLToPath(new URL(`../lib/${name}.mjs`, import.meta.url));

function measure(contender, url) {
  const child = spawnSync(process.execPath, [file("token-reader"), contender, url, STREAMS, TOKENS], {
    encoding: "utf8",
  });
  if (child.status !== 0) throw new Error(`${contender}: ${child.stderr}`);
  return JSON.parse(child.stdout.trimEnd().split("\n").at(-1)).us;
}

const server = spawn(process.execPath, [file("token-server"), TOKENS, EVERY_MS], {
  stdio: ["pipe", "pipe", "inherit"],
});
const url = await new Promise((resolve) => server.stdout.once("data", (line) => resolve(String(line).trim())));
const contenders = ["agent", "client", "ai-sdk", "bytes"];
const found = contenders.map(() => []);
for (let round = 0; round < ROUNDS; round++) {
  contenders.forEach((contender, nth) => found[nth].push(measure(contender, url)));
}
server.stdin.end();
const [agentUs, clientUs, aiSdkUs, bytesUs] = found.map(median);
const ratio = median(found[0].map((us, round) => us / found[2][round]));
console.log(JSON.stringify({ agentUs, clientUs, aiSdkUs, bytesUs, ratio }));
