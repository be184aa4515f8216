// The entry of bundles for pages: what the tests call from outside.
import { exercise } from "./exercise.js";

globalThis.exercise = exercise;
