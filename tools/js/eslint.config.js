// What is wrong or dead in the scripts of the pages; how they look is the author's business.
import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    files: ["**/*.js"],
    languageOptions: { ecmaVersion: 2023, sourceType: "script", globals: { ...globals.browser, L: "readonly" } },
    rules: {
      eqeqeq: "error",
      "no-implied-eval": "error",
      "no-var": "error",
      "prefer-const": "error",
      // The scripts of one page see each other's names: undefined ones are found by the type check.
      "no-undef": "off",
      "no-unused-vars": ["error", { vars: "local", argsIgnorePattern: "^_" }],
    },
  },
  { files: ["**/board/page/*.js"], languageOptions: { sourceType: "module" } },
];
