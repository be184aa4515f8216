// Errors, for the codec: what of them is carried, and how they are made again without calling their constructors.

import {
  CancelledError,
  EngineError,
  LimitError,
  RecoverError,
  SnapshotError,
  StalledError,
  StepError,
  TimeoutError,
  ValidationError,
  WorkflowError,
} from "../../errors/errors.js";
import { form } from "./form.js";

type ErrorClass = abstract new (...args: never[]) => Error;

/** The package's own classes, by the names under which they are carried; the nearest class of an error is its kind. */
const own: Readonly<Record<string, ErrorClass>> = {
  "stepstream.cancelled": CancelledError,
  "stepstream.engine": EngineError,
  "stepstream.limit": LimitError,
  "stepstream.recover": RecoverError,
  "stepstream.snapshot": SnapshotError,
  "stepstream.stalled": StalledError,
  "stepstream.step": StepError,
  "stepstream.timeout": TimeoutError,
  "stepstream.validation": ValidationError,
  "stepstream.workflow": WorkflowError,
};

/** The language's own kinds beside Error. Not every runtime has the last. */
const builtIn = [
  "EvalError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "TypeError",
  "URIError",
  "AggregateError",
  "SuppressedError",
];

/** What errors have of their own, usually without being enumerable. */
const hidden = ["message", "name", "stack", "cause", "errors", "error", "suppressed"];

function builtInClass(kind: string): ErrorClass {
  const found = builtIn.includes(kind) ? (globalThis as unknown as Record<string, unknown>)[kind] : undefined;
  return typeof found === "function" ? (found as ErrorClass) : Error;
}

/** Whether a value is an error, of whatever realm. */
export function isError(value: unknown): value is Error {
  return (
    value instanceof Error || (typeof value === "object" && Object.prototype.toString.call(value) === "[object Error]")
  );
}

/** The nearest class of an error that can be named anywhere. */
function kindOf(error: Error): string {
  for (let at = Object.getPrototypeOf(error) as object | null; at !== null; at = Object.getPrototypeOf(at) as object) {
    for (const name of Object.keys(own)) if (own[name]!.prototype === at) return name;
    // By its name, because errors come from other realms, too.
    const maker: unknown = Object.hasOwn(at, "constructor") ? at.constructor.name : undefined;
    if (builtIn.includes(maker as string)) return maker as string;
  }
  return "Error";
}

function classOf(kind: unknown): ErrorClass {
  return typeof kind === "string" && Object.hasOwn(own, kind) ? own[kind]! : builtInClass(String(kind));
}

/** How the contents that stand for an error begin, and the names of the properties that follow, with their values. */
export function carryError(error: Error): { start: unknown[]; names: string[] } {
  const isException = Object.prototype.toString.call(error) === "[object DOMException]";
  const kind = isException ? "DOMException" : kindOf(error);
  const names = hidden.filter((name) => {
    const descriptor = Object.getOwnPropertyDescriptor(error, name);
    if (descriptor !== undefined) return !descriptor.enumerable;
    // Some engines keep the stack in an accessor of the prototype, and some users the name in a class.
    if (name === "stack") return typeof error.stack === "string";
    return name === "name" && !isException && error.name !== (classOf(kind).prototype as Error).name;
  });
  const start = isException ? [form.EXCEPTION, error.message, error.name] : [form.ERROR, kind];
  start.push(names.length as unknown as string);
  return { start, names: [...names, ...Object.keys(error)] };
}

/** An error of the class that its contents name; its properties are still to be set. */
export function makeError(contents: readonly unknown[]): Error {
  if (contents[0] === form.EXCEPTION) return new DOMException(String(contents[1]), String(contents[2]));
  const error = Reflect.construct(Error, [], classOf(contents[1])) as Error;
  // It would lead here.
  delete error.stack;
  return error;
}
