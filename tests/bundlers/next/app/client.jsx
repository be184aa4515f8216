"use client";
// The component that imports the package into the page.
import { useEffect } from "react";
import { exercise } from "../../app/exercise.js";

export function Client() {
  useEffect(() => {
    globalThis.exercise = exercise;
  }, []);
  return <h1>stepstream</h1>;
}
