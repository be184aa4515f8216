// Runs in the page: the laws of clients, and an abort.

import { LLMError } from "stepstream/llm";
import { clients, laws } from "../js/llm/aimock-laws.js";

const forPage = {
  /** Checks a law with a client. */
  async checkLaw(client: string, law: string, baseURL: string): Promise<string> {
    await laws[law]!(clients[client]!, baseURL);
    return "kept";
  },

  /** Aborts a call at its first text; gives the error's code and what had arrived. */
  async abortAtFirstText(client: string, baseURL: string): Promise<string[]> {
    const controller = new AbortController();
    const stream = clients[client]!.client({ baseURL }).streamChat([{ role: "user", content: "Hi" }], {
      signal: controller.signal,
    });
    try {
      for await (const delta of stream) if (delta.type === "text") controller.abort();
    } catch (error) {
      if (error instanceof LLMError) return [error.code, error.partial?.text ?? ""];
    }
    return [];
  },
};

/** What the tests call in the page. */
export type ForPage = typeof forPage;

Object.assign(globalThis, { forPage, isReady: true });
