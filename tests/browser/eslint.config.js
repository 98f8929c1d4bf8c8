import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  { languageOptions: { globals: globals.node } },
  // Parts of these run in a page.
  {
    files: ["**/lib/storage.js", "**/cases/*.js", "**/*.test.js"],
    languageOptions: { globals: globals.browser },
  },
];
