import type { CliContext } from '../cli-context.ts';
import { wrongUse } from '../cli-error.ts';
import { readInput } from './read-input.ts';

/** How a token is given, and what else may be read from stdin. */
export interface TokenFlags {
  /** The token itself, or `-` for stdin. */
  token?: string;
  /** A path, or `-` for stdin. */
  tokenFile?: string;
  inputFile?: string;
  secretFile?: string;
}

/**
 * The token that the flags give, from wherever it is; undefined where they give none.
 * @throws CliError with exit code 2
 */
export async function readToken(context: CliContext, flags: TokenFlags): Promise<string | undefined> {
  const { token, tokenFile } = flags;
  if (token !== undefined && tokenFile !== undefined)
    throw wrongUse('--token and --token-file were both given', 'Give one of them.');
  const source = tokenFile ?? (token === '-' ? token : undefined);
  if (source === undefined) return token;
  if (source === '-' && [flags.inputFile, flags.secretFile].includes('-'))
    throw wrongUse('stdin cannot hold the token and something else', 'Give one of them by a file.');
  const text = (await readInput(context, { inputFile: source }, '--token-file')).text.trim();
  if (text === '')
    throw wrongUse(`${source === '-' ? 'stdin' : source} holds no token`, 'Make one with `hatchet token create`.');
  return text;
}
