import { isInteractive, type CliContext } from '../cli-context.ts';
import { CliError, wrongUse } from '../cli-error.ts';
import { ExitCode } from '../exit-codes.ts';

/**
 * Asks whether to delete something.
 * @param what with all that goes with it, such as `the tenant "acme" with 3 runs`
 * @param note what the question ends with
 * @throws CliError where the answer is no, or nobody can be asked
 */
export async function confirmDeletion(context: CliContext, what: string, note = ''): Promise<void> {
  if (!isInteractive(context))
    throw wrongUse(`without a terminal nobody can be asked whether to delete ${what}`, 'Add --yes if that is meant.');
  const prompts = await import('@clack/prompts');
  const answer = await prompts.confirm({ message: `Delete ${what}?${note}`, initialValue: false });
  if (answer !== true) throw new CliError('nothing was deleted', { exitCode: ExitCode.interrupted });
}
