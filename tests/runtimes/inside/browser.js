// The program inside a browser: in a page, and in the workers that the page starts from this very file.

import { perform } from "../suite/job.js";

/** Performs a job here; resolves with its reports. */
async function here(job) {
  const reports = [];
  await perform(job, (report) => void reports.push(report));
  return reports;
}

/** In a worker: performs what it is sent, and answers through the port that came along. */
function serve() {
  addEventListener("message", (event) => {
    const [port] = event.ports;
    const work = here(event.data).then(
      (reports) => port.postMessage({ reports }),
      (error) => port.postMessage({ error: String(error) }),
    );
    event.waitUntil?.(work); // A service worker is ended when it seems to be idle.
  });
}

/** Sends a job to a worker; resolves with its reports. */
function ask(worker, job) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve, reject) => {
    worker.addEventListener?.("error", ({ message }) => reject(new Error(`the worker failed: ${message}`)));
    port1.onmessage = ({ data }) => (data.error === undefined ? resolve(data.reports) : reject(new Error(data.error)));
    worker.postMessage(job, [port2]);
  });
}

const script = "/browser.js";

const places = {
  page: () => here,

  worker() {
    const worker = new Worker(script, { type: "module" });
    return (job) => ask(worker, job);
  },

  async serviceWorker() {
    const registration = await navigator.serviceWorker.register(script, { type: "module" });
    const worker = registration.installing ?? registration.waiting ?? registration.active;
    while (worker.state !== "activated") {
      if (worker.state === "redundant") throw new Error("The service worker could not be installed.");
      await new Promise((resolve) => worker.addEventListener("statechange", resolve, { once: true }));
    }
    return (job) => ask(worker, job);
  },
};

if (typeof document === "undefined") {
  serve();
} else {
  globalThis.performIn = async (place, jobs) => {
    const work = await places[place]();
    const all = [];
    for (const job of jobs) for (const report of await work(job)) all.push({ job: job.do, ...report });
    return all;
  };
}
