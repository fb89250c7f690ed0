// The page's scripts as the browser runs them: each program is one or several files, joined into one function body.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
export const ROOT = join(here, "..", "..", "playground");

/** Files of each program in order, relative to `ROOT`; `tests/playground/test_scripts.py` compares them with Python. */
export const PROGRAMS = JSON.parse(readFileSync(join(here, "programs.json"), "utf-8"));

// Gradio runs a component's `js_on_load` as the body of a function with these parameters.
const BEFORE = "/** @type {GradioScript} */\n(function (element, trigger, props, server, upload, watch) {\n";
const AFTER = "\n});\n";

/**
 * Joins a program's files into one text that keeps each file's lines whole.
 *
 * @param {string} name
 * @param {Map<string, string>} [texts] newer texts of files, by path relative to `ROOT`
 * @returns {{text: string, files: {file: string, start: number, lines: number}[]}} `start` is a 0-based line of `text`
 */
export function joinProgram(name, texts = new Map()) {
  const files = [];
  let text = BEFORE;
  for (const file of PROGRAMS[name]) {
    const source = texts.get(file) ?? readFileSync(join(ROOT, file), "utf-8");
    files.push({ file, start: text.split("\n").length - 1, lines: source.split("\n").length });
    text += `${source}\n`;
  }
  return { text: text + AFTER, files };
}

/**
 * Runs files of a program and returns some of the names they declare.
 *
 * @param {string[]} files relative to `ROOT`
 * @param {string[]} names what to return
 * @param {Record<string, unknown>} [globals] what the scripts find in place of the page's globals
 * @param {string} [extra] more text of the same program
 * @returns {Record<string, any>}
 */
export function load(files, names, globals = {}, extra = "") {
  const text = files.map((file) => readFileSync(join(ROOT, file), "utf-8")).join("\n");
  const run = new Function(...Object.keys(globals), `${text}\n${extra}\nreturn { ${names.join(", ")} };`);
  return run(...Object.values(globals));
}
