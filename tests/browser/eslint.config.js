import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  { languageOptions: { globals: globals.node } },
  // Parts of these run in a page.
  {
    files: ["**/lib/{driven,storage}.js", "**/cases/*.js", "**/*.test.js"],
    languageOptions: { globals: globals.browser },
  },
  // The page's own script.
  {
    files: ["**/chat.js"],
    languageOptions: { globals: globals.browser, sourceType: "script" },
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: "MemberExpression[object.name='document']",
          message: "An element of the page may have this name: take it from Document.prototype.",
        },
      ],
    },
  },
];
