// An ESLint processor: each script is checked inside the programs it is part of, so that names declared in another file
// of the same program are known, and names declared twice or never used are found.
import { relative, sep } from "node:path";

import { joinProgram, PROGRAMS, ROOT } from "./programs.js";

const pending = new Map();  // file → where it is in each of its programs

const relativePath = (file) => relative(ROOT, file).split(sep).join("/");

function preprocess(text, filename) {
  const path = relativePath(filename);
  const names = Object.keys(PROGRAMS).filter((name) => PROGRAMS[name].includes(path));
  const joined = names.map((name) => joinProgram(name, new Map([[path, text]])));
  pending.set(filename, joined.map(({ files }) => files.find(({ file }) => file === path)));
  if (!names.length) throw new Error(`${path} is in none of the programs of tests/js/programs.json.`);
  return joined.map((program) => program.text);
}

/** Keeps the messages about the file itself; what is unused has to be unused in all of its programs. */
function postprocess(messageLists, filename) {
  const places = pending.get(filename);
  const lists = messageLists.map((messages, index) => {
    const { start, lines } = places[index];
    return messages
      .filter(({ line }) => line > start && line <= start + lines)
      .map(({ line, endLine, ...rest }) => ({ ...rest, line: line - start, endLine: endLine && endLine - start }));
  });
  const key = ({ ruleId, line, column, message }) => JSON.stringify([ruleId, line, column, message]);
  const found = new Map(lists.flat().map((message) => [key(message), message]));
  const everywhere = (wanted) => lists.every((messages) => messages.some((message) => key(message) === wanted));
  return [...found]
    .filter(([wanted, { ruleId }]) => ruleId !== "no-unused-vars" || everywhere(wanted))
    .map(([, message]) => message);
}

export default {
  processors: { programs: { preprocess, postprocess, supportsAutofix: false } },
};
