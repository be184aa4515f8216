// Runs in the page: cases that must leave nothing behind.

import { type Left, cases, leftBy } from "../js/kit/leaks.js";

/** Provided by the test, as pages learn of their memory only now and then. */
declare const heapUsed: () => Promise<number>;

const forPage = {
  leftBy: (name: string): Promise<Left> => leftBy(name, heapUsed),
};

/** What the tests call in the page. */
export type ForPage = typeof forPage;

Object.assign(globalThis, { forPage, caseNames: Object.keys(cases), isReady: true });
