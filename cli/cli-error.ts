import { ExitCode } from './exit-codes.ts';

export interface CliErrorOptions {
  /** Default `failed`. */
  exitCode?: ExitCode;
  /** What to do next, one imperative sentence. */
  remedy?: string | undefined;
  cause?: unknown;
}

/** A user's mistake, or a state of the world that they can change. Anything else that is thrown is a bug. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  readonly remedy: string | undefined;

  constructor(message: string, options: CliErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? ExitCode.failed;
    this.remedy = options.remedy;
  }
}

/** Flags or input that can't be meant. */
export function wrongUse(message: string, remedy?: string): CliError {
  return new CliError(message, { exitCode: ExitCode.wrongUse, remedy });
}
