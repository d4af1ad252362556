import { ServerError } from './server-error.ts';
import { CliError } from '../cli-error.ts';
import { ExitCode, exitCodeOf } from '../exit-codes.ts';
import { plainLines } from './plain-text.ts';

export interface ErrorReport {
  /** For stderr, without a line break at its end. */
  text: string;
  exitCode: ExitCode;
}

/** Errors of the engine, recognised by their shape: loading the engine to compare classes would double a command's start. */
function isHatchetError(error: unknown): error is Error & { code: string; remedy: string | undefined } {
  return error instanceof Error && error.name === 'HatchetError' && 'code' in error && typeof error.code === 'string';
}

/** Puts whatever was thrown into words, once, for a person: what happened, and what to do next. */
export function reportError(error: unknown): ErrorReport {
  if (error instanceof CliError || error instanceof ServerError)
    return { text: words(error.message, error.remedy), exitCode: error.exitCode };
  if (isHatchetError(error)) return { text: words(error.message, error.remedy), exitCode: exitCodeOf(error.code) };
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    text: plainLines(
      `error: hatchet met a case that it was not written for. This is a bug, not a mistake of yours.\n\n${detail}\n\nPlease report it with the text above.`,
    ),
    exitCode: ExitCode.failed,
  };
}

/** Errors of the SDK have their remedy in the message too. */
function words(message: string, remedy: string | undefined): string {
  if (remedy === undefined || remedy === '') return plainLines(`error: ${message}`);
  const tail = `. ${remedy}`;
  const what = message.endsWith(tail) ? message.slice(0, -tail.length) : message;
  return plainLines(`error: ${what}\n  ${remedy}${/[.!?:`]$/.test(remedy) ? '' : '.'}`);
}
