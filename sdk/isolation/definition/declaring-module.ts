import { isAbsolute, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isOwnCode } from '../../failure/own-frames.ts';
import { safely } from '../../failure/safe-reads.ts';

/** Deep enough for declarations that helpers make. */
const mostFrames = 60;

/**
 * Path of the module that is being evaluated while a task is declared: whoever imports that module has the task declared again.
 * A function of another module may make the declaration; the module that calls it is meant. By the places in the code that
 * runs, not by those that source maps name: what they name need not exist.
 */
export function declaringModule(): string | undefined {
  return moduleAmong(callerFiles());
}

/** The same of a stack: the files of its frames, the innermost first. */
export function moduleAmong(files: readonly string[]): string | undefined {
  const evaluated: string[] = [];
  for (const file of files) {
    // Who loads modules, Node or a test runner, has called all that comes before it.
    if (file.startsWith('node:') && evaluated.length > 0) break;
    const path = safely(() => (file.startsWith('file:') ? fileURLToPath(file.replace(/[?#].*$/, '')) : file), '');
    if (!isAbsolute(path) || isOwnCode(path)) continue;
    if (isOfPackage(path) && evaluated.some((before) => !isOfPackage(before))) break;
    evaluated.push(path);
  }
  return evaluated.at(-1);
}

function isOfPackage(path: string): boolean {
  return path.includes(`${sep}node_modules${sep}`);
}

/** As V8 has them: a stack in words has been through source maps. */
function callerFiles(): string[] {
  const { stackTraceLimit } = Error;
  const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  let files: string[] = [];
  try {
    Error.stackTraceLimit = mostFrames;
    Error.prepareStackTrace = (_error, sites) => {
      files = sites.flatMap((site) => site.getFileName() ?? []);
      return '';
    };
    // Made where it is read.
    void new Error('here').stack;
  } finally {
    if (before === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace');
    else Object.defineProperty(Error, 'prepareStackTrace', before);
    Error.stackTraceLimit = stackTraceLimit;
  }
  return files;
}
