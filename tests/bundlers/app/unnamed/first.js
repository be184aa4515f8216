// One of two classes of the same name in different modules.
import { WorkflowEvent } from "stepstream";

export class Note extends WorkflowEvent {}
