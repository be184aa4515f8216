// Finds a Chromium for the browser tests, or installs Debian's.
import { existsSync } from "node:fs";
import { which } from "./command.mjs";
import { whyNotInstalled } from "./toolchain.mjs";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

const BY_HAND = "Install Chromium, or name one in STEPSTREAM_CHROMIUM.";

const installed = () => NAMES.map(which).find((file) => file !== undefined);

/** `{ file }`, the path of a Chromium; or `{ reason }` why there is none. STEPSTREAM_CHROMIUM names one that is elsewhere. */
export async function chromium() {
  const wanted = process.env.STEPSTREAM_CHROMIUM;
  if (wanted) return existsSync(wanted) ? { file: wanted } : { reason: `STEPSTREAM_CHROMIUM: there is no ${wanted}` };
  if (installed() === undefined) {
    const reason = await whyNotInstalled(["chromium"]);
    if (reason !== undefined) return { reason: `no Chromium, ${reason}. ${BY_HAND}` };
  }
  const file = installed();
  return file === undefined ? { reason: `the package chromium brought no program of that name. ${BY_HAND}` } : { file };
}
