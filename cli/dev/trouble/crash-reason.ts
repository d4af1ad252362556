import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isForeign } from '../modules/is-foreign.ts';

/** Why a worker ended, by what it printed last. */
export interface CrashReason {
  /** The error's first line; without an error, the last line that says anything. */
  message: string;
  /** Where in the project it was thrown, as `file:line:column`. */
  place: string | undefined;
}

const errorLine = /^(?:Uncaught )?(?:\w+ )?[\w$.]*(?:Error|Exception)\b(?: \[\w+\])?(?::|$)/;
const frame = /^\s+at (?:async )?(?:.* \()?((?:file:\/\/)?(?:\/|[A-Za-z]:[/\\])[^()]*?):(\d+):(\d+)\)?$/;
/** What Node prints before an error: the file and its line. */
const head = /^((?:file:\/\/)?(?:\/|[A-Za-z]:[/\\]).*):(\d+)$/;

/** Nothing where the worker said nothing. */
export function crashReason(lines: readonly string[], project: string): CrashReason | undefined {
  const at = lines.findLastIndex((line) => errorLine.test(line));
  if (at < 0) {
    const last = lines.findLast((line) => line.trim() !== '');
    return last === undefined ? undefined : { message: last.trim(), place: undefined };
  }
  const places = lines.slice(at + 1).flatMap((line) => {
    const [, file, row, column] = frame.exec(line) ?? [];
    return file === undefined ? [] : [{ file: toPath(file), row, column }];
  });
  const own = places.find(({ file }) => !isForeign(file));
  const message = (lines[at] ?? '').replace(/^Uncaught /, '');
  if (own !== undefined) return { message, place: `${relative(project, own.file)}:${own.row}:${own.column}` };
  // An error of linking has no place of its own; the line that Node names is the compiled code's.
  const named = lines
    .slice(0, at)
    .flatMap((line) => toPath(head.exec(line)?.[1] ?? ''))
    .findLast((file) => file !== '' && !isForeign(file));
  return { message, place: named === undefined ? undefined : relative(project, named) };
}

function toPath(file: string): string {
  return file.startsWith('file:') ? fileURLToPath(file) : file;
}
