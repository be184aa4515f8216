// Processor time per token of one contender, who reads several answers at once from token-server.mjs. Prints one line of JSON.
const [contender, url, streamsText, tokensText] = process.argv.slice(2);
const [streams, tokens] = [Number(streamsText), Number(tokensText)];
const { read } = await import(`../peers/tokens-${contender}.mjs`);

/** The first round warms up. */
const ROUNDS = 4;

let us = Infinity;
for (let round = 0; round < ROUNDS; round++) {
  const before = process.cpuUsage();
  const lengths = await Promise.all(Array.from({ length: streams }, () => read(url)));
  const { user, system } = process.cpuUsage(before);
  if (lengths.some((length) => length !== tokens * " word".length)) throw new Error(`${contender} read ${lengths}`);
  if (round > 0) us = Math.min(us, (user + system) / (streams * tokens));
}
console.log(JSON.stringify({ us }));
process.exit(0);
