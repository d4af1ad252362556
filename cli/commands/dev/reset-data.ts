import { isInteractive, type CliContext } from '../../cli-context.ts';
import { CliError, wrongUse } from '../../cli-error.ts';
import { ExitCode } from '../../exit-codes.ts';

/** Deletes all data of a data folder whose engine does not run, once a person or `--yes` has agreed. */
export async function resetData(
  context: CliContext,
  { dataDir, isAgreed }: { dataDir: string; isAgreed: boolean },
): Promise<void> {
  const { dataPaths, deleteData } = await import('../../../engine/index.ts');
  const paths = dataPaths(dataDir);
  if (paths.length === 0) return;
  const list = paths.map((path) => `  ${path}`).join('\n');
  if (!isAgreed && !isInteractive(context))
    throw wrongUse(`--reset deletes these, and there is no terminal to ask on:\n${list}`, 'Add --yes if they may go.');
  if (!isAgreed) {
    const prompts = await import('@clack/prompts');
    const answer = await prompts.confirm({
      message: `Delete all runs and data? These go:\n${list}`,
      initialValue: false,
    });
    if (answer !== true) throw new CliError('nothing was deleted', { exitCode: ExitCode.interrupted });
  }
  await deleteData(dataDir);
}
