// The events of the two workflows. Each has its own `static type`, which a minifier does not change.
import { WorkflowEvent } from "stepstream";

/**
 * A file to be read.
 * @extends {WorkflowEvent<{ name: string, path: string }>}
 */
export class FileEvent extends WorkflowEvent {
  static type = "file";
}

/**
 * A file that was read.
 * @extends {WorkflowEvent<{ name: string, path: string, text: string }>}
 */
export class DocumentEvent extends WorkflowEvent {
  static type = "document";
}

/**
 * A file that is finished: with its report, or with the problem.
 * @extends {WorkflowEvent<{ name: string, report?: import("./document.mjs").Report, problem?: string }>}
 */
export class FinishedEvent extends WorkflowEvent {
  static type = "finished";
}

/**
 * A section to be analysed.
 * @extends {WorkflowEvent<import("./text.mjs").Section>}
 */
export class SectionEvent extends WorkflowEvent {
  static type = "section";
}

/**
 * A section that was analysed.
 * @extends {WorkflowEvent<import("./analysis.mjs").Analysis>}
 */
export class AnalysedEvent extends WorkflowEvent {
  static type = "analysed";
}

/**
 * All sections were analysed: what a summary is made from.
 * @extends {WorkflowEvent<{ brief: import("./analysis.mjs").Brief }>}
 */
export class BriefEvent extends WorkflowEvent {
  static type = "brief";
}

/**
 * A summary that was not reviewed yet.
 * @extends {WorkflowEvent<import("./summary.mjs").Draft>}
 */
export class DraftEvent extends WorkflowEvent {
  static type = "draft";
}

/**
 * A summary that needs another revision, with the reason.
 * @extends {WorkflowEvent<{ draft: import("./summary.mjs").Draft, fault: "thin" | "long" }>}
 */
export class RevisionEvent extends WorkflowEvent {
  static type = "revision";
}

/**
 * Progress for the reader of the stream. No step takes it.
 * @extends {WorkflowEvent<{ name: string, message: string }>}
 */
export class ProgressEvent extends WorkflowEvent {
  static type = "progress";
}
