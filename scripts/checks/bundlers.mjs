// The check that the packed package goes through bundlers: in programs for Node and for pages, and in Next.
import { chromium } from "../lib/browser.mjs";
import { prepareBundlers } from "../lib/bundlers.mjs";
import { withLock } from "../lib/lock.mjs";
import { dim, say } from "../lib/say.mjs";
import { nodeTests } from "./javascript.mjs";

/** Without a Chromium the bundles for pages are built and not run, which counts as skipped. */
export async function bundlers() {
  const reason = await withLock(prepareBundlers);
  if (reason !== undefined) return { passed: 0, failed: 0, skipped: 1, note: reason };
  const { file, reason: withoutPages } = await chromium();
  say(dim(`Chromium: ${file ?? withoutPages}`));
  const env = { STEPSTREAM_CHROMIUM: file ?? "", STEPSTREAM_NO_CHROMIUM: withoutPages ?? "" };
  const result = await nodeTests("tests/bundlers", env)();
  return { ...result, ...(withoutPages && { note: withoutPages }) };
}
