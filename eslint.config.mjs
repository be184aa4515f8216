// What the linter checks beyond the compiler's strict flags. Formatting is prettier's.
import eslint from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig([
  globalIgnores(["**/node_modules/", "target/", "pkg/", "pkg-template/wasm/", "www/dist/"]),
  eslint.configs.recommended,
  tseslint.configs.recommended,
  {
    rules: {
      // A leading underscore says that a parameter is there only for its position.
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      // The compiler knows the globals of each part; the linter would need them listed again.
      "no-undef": "off",
    },
  },
  {
    // A promise that nobody awaits is how an error gets lost, or becomes an unhandled rejection.
    files: ["pkg-template/src/**/*.ts", "pkg-template/entry/*.ts"],
    languageOptions: { parserOptions: { projectService: true } },
    rules: { "@typescript-eslint/no-floating-promises": "error" },
  },
]);
