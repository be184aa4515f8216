// Finds the browsers for the tests, or installs Debian's.
import { existsSync } from "node:fs";
import { which } from "./command.mjs";
import { whyNotInstalled } from "./toolchain.mjs";

const browsers = {
  Chromium: {
    names: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    variable: "STEPSTREAM_CHROMIUM",
    debian: "chromium",
  },
  Firefox: { names: ["firefox-esr", "firefox"], variable: "STEPSTREAM_FIREFOX", debian: "firefox-esr" },
};

async function find(browser) {
  const { names, variable, debian } = browsers[browser];
  const byHand = `Install ${browser}, or name one in ${variable}.`;
  const installed = () => names.map(which).find((file) => file !== undefined);
  const wanted = process.env[variable];
  if (wanted) return existsSync(wanted) ? { file: wanted } : { reason: `${variable}: there is no ${wanted}` };
  if (installed() === undefined) {
    const reason = await whyNotInstalled([debian]);
    if (reason !== undefined) return { reason: `no ${browser}, ${reason}. ${byHand}` };
  }
  const file = installed();
  return file === undefined ? { reason: `the package ${debian} brought no program of that name. ${byHand}` } : { file };
}

/** `{ file }`, the path of a Chromium; or `{ reason }` why there is none. STEPSTREAM_CHROMIUM names one that is elsewhere. */
export const chromium = () => find("Chromium");

/** The same for Firefox and STEPSTREAM_FIREFOX. */
export const firefox = () => find("Firefox");
