import { isInteractive, type CliContext } from '../cli-context.ts';
import { CliError, wrongUse } from '../cli-error.ts';
import { ExitCode } from '../exit-codes.ts';
import { readInput } from './read-input.ts';

/** Where a secret comes from. It is never printed, nor part of a message. */
export interface SecretFlags {
  /** The secret itself: others on the machine can read it in the list of processes. */
  secret?: string;
  /** A variable's name. */
  secretEnv?: string;
  /** A path, or `-` for stdin. */
  secretFile?: string;
}

/** @throws CliError with exit code 2 */
export async function readSecret(context: CliContext, flags: SecretFlags, what: string): Promise<string> {
  const { secret, secretEnv, secretFile } = flags;
  const given = [secret, secretEnv, secretFile].filter((flag) => flag !== undefined).length;
  if (given > 1)
    throw wrongUse('the secret was given more than once', 'Give one of --secret, --secret-env and --secret-file.');
  if (given === 0 && isInteractive(context)) return ask(what);
  if (given === 0)
    throw wrongUse(
      `the ${what} is missing`,
      'Give it by --secret-env NAME, --secret-file PATH, or --secret-file - to read it from stdin.',
    );
  const text =
    secret ??
    (secretEnv === undefined
      ? withoutLineEnd((await readInput(context, { inputFile: secretFile ?? '' }, '--secret-file')).text)
      : context.env[secretEnv]);
  if (text === undefined) throw wrongUse(`the variable ${secretEnv ?? ''} is not set`, `Set it to the ${what}.`);
  if (text === '') throw wrongUse(`the ${what} is empty`);
  return text;
}

async function ask(what: string): Promise<string> {
  const prompts = await import('@clack/prompts');
  const answer = await prompts.password({
    message: `The ${what}?`,
    validate: (text) => (text === undefined || text === '' ? 'It is empty.' : undefined),
  });
  if (prompts.isCancel(answer)) throw new CliError('given up', { exitCode: ExitCode.interrupted });
  return answer;
}

/** Editors and `echo` end a file with one. */
function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}
