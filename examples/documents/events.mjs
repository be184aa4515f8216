// The events of the two workflows. Each has its own `static type`: names survive a minifier that way.
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
 * A file that nothing more will come of: with its report, or with what went wrong.
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
 * All sections were analysed: what there is to choose a summary from.
 * @extends {WorkflowEvent<{ brief: import("./analysis.mjs").Brief }>}
 */
export class BriefEvent extends WorkflowEvent {
  static type = "brief";
}

/**
 * A summary that has not been judged.
 * @extends {WorkflowEvent<import("./summary.mjs").Draft>}
 */
export class DraftEvent extends WorkflowEvent {
  static type = "draft";
}

/**
 * A summary that was sent back, with the reason.
 * @extends {WorkflowEvent<{ draft: import("./summary.mjs").Draft, fault: "thin" | "long" }>}
 */
export class RevisionEvent extends WorkflowEvent {
  static type = "revision";
}

/**
 * Something to show to whoever watches. No step takes it: it is only written into the stream.
 * @extends {WorkflowEvent<{ name: string, message: string }>}
 */
export class ProgressEvent extends WorkflowEvent {
  static type = "progress";
}
