import js from "@eslint/js";

import programs from "./tests/js/eslint_programs.js";

const readonly = (names) => Object.fromEntries(names.split(/\s+/).filter(Boolean).map((name) => [name, "readonly"]));

// By hand rather than all that browsers have: `name`, `event`, `top` and their like are then mistakes.
const BROWSER = readonly(`
  AbortController CSS CustomEvent DOMException Element Event File HTMLInputElement HTMLTextAreaElement Image ImageData
  IntersectionObserver HTMLAnchorElement KeyboardEvent MutationObserver Option PointerEvent ResizeObserver
  TextDecoderStream URLSearchParams atob cancelAnimationFrame clearInterval clearTimeout console crypto document fetch
  getComputedStyle history innerWidth localStorage location matchMedia navigator performance requestAnimationFrame
  sessionStorage setInterval setTimeout window
`);
const NODE = readonly(`
  AbortController clearTimeout console Event EventTarget process ReadableStream setTimeout TextEncoder
`);

const RULES = {
  "consistent-return": "off",  // an early bare return is clear in event handlers
  "default-param-last": "error",
  eqeqeq: "error",
  "max-len": ["error", 120],
  "no-else-return": "error",
  "no-implicit-coercion": "error",
  "no-shadow": "error",
  "no-throw-literal": "error",
  "no-unneeded-ternary": "error",
  "no-unused-vars": ["error", { caughtErrors: "all" }],
  "no-use-before-define": ["error", { functions: false, variables: false }],
  "no-useless-return": "error",
  "no-var": "error",
  "object-shorthand": "error",
  "prefer-const": "error",
  "prefer-template": "error",
};

export default [
  { ignores: [".venv/", "node_modules/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" }, rules: { ...js.configs.recommended.rules, ...RULES } },
  {
    files: ["playground/**/*.js"],
    plugins: { programs },
    processor: "programs/programs",
    languageOptions: {
      sourceType: "script", globals: { ...BROWSER, ...readonly("live memory presenting PAINT_STAGES") },
    },
  },
  { files: ["tests/js/**/*.js", "eslint.config.js"], languageOptions: { globals: NODE } },
];
