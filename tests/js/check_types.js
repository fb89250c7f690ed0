// Type-checks the page's scripts as `tsc --checkJs --noEmit` (settings: tsconfig.json) would, each program as the one
// function that Gradio makes of it, and reports errors at the lines of the files.
import { dirname, join, relative } from "node:path";

import ts from "typescript";

import { joinProgram, PROGRAMS, ROOT } from "./programs.js";

const config = ts.getParsedCommandLineOfConfigFile(join(dirname(ROOT), "tsconfig.json"), {}, {
  ...ts.sys,
  onUnRecoverableConfigFileDiagnostic: (diagnostic) => { throw new Error(String(diagnostic.messageText)); },
});
const programs = new Map(Object.keys(PROGRAMS).map((name) => [join(ROOT, `${name}.program.js`), joinProgram(name)]));

const host = ts.createCompilerHost(config.options);
const { fileExists, readFile, getSourceFile } = host;
host.fileExists = (file) => programs.has(file) || fileExists(file);
host.readFile = (file) => programs.get(file)?.text ?? readFile(file);
host.getSourceFile = (file, languageVersion, ...rest) => (programs.has(file)
  ? ts.createSourceFile(file, programs.get(file).text, languageVersion, true, ts.ScriptKind.JS)
  : getSourceFile(file, languageVersion, ...rest));

/** Returns "file:line:column: message" for the file the error is in. */
function describe({ file, start, messageText, code }) {
  const text = `error TS${code}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  if (!file) return text;
  const { line, character } = file.getLineAndCharacterOfPosition(start);
  const part = programs.get(file.fileName)?.files.findLast((each) => each.start <= line);
  const path = part ? join(ROOT, part.file) : file.fileName;
  return `${relative(process.cwd(), path)}:${line - (part?.start ?? 0) + 1}:${character + 1}: ${text}`;
}

const program = ts.createProgram([...config.fileNames, ...programs.keys()], config.options, host);
const errors = new Set([...config.errors, ...ts.getPreEmitDiagnostics(program)].map(describe));
for (const error of errors) console.error(error);
console.log(`${errors.size} type errors in ${programs.size} programs`);
process.exitCode = errors.size ? 1 : 0;
