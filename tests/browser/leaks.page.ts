// Runs in the page: deeds that must leave nothing behind.

import { type Left, deeds, leftBy } from "../js/kit/leaks.js";

/** Provided by the test, as pages are told of their memory only now and then. */
declare const heapUsed: () => Promise<number>;

const forPage = {
  leftBy: (deed: string): Promise<Left> => leftBy(deed, heapUsed),
};

/** What the tests call in the page. */
export type ForPage = typeof forPage;

Object.assign(globalThis, { forPage, deedNames: Object.keys(deeds), isReady: true });
