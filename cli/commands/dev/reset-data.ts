import { existsSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { isInteractive, type CliContext } from '../../cli-context.ts';
import { CliError } from '../../cli-error.ts';
import { clusterFolder } from '../../engine-process/cluster-folder.ts';
import { ExitCode } from '../../exit-code.ts';

/** What the engine keeps in a data folder. Anything else there is left alone: the folder may be a person's own. */
const ownFiles = ['engine.json', 'token', 'postgres.json', 'postgres', 'postgres.log', 'postgres.log.1', 'engine.log', 'engine.log.1'];

/** Deletes all data of a data folder whose engine does not run. A Postgres that was left running is stopped first. */
export async function resetData(context: CliContext, dataDir: string): Promise<void> {
  if (!existsSync(join(dataDir, 'postgres.json'))) return;
  if (isInteractive(context)) {
    const prompts = await import('@clack/prompts');
    const answer = await prompts.confirm({ message: `Delete all runs and data in ${dataDir}?`, initialValue: false });
    if (answer !== true) throw new CliError('nothing was deleted', { exitCode: ExitCode.interrupted });
  }
  const cluster = clusterFolder(dataDir);
  if (cluster !== undefined && existsSync(join(cluster, 'postmaster.pid'))) {
    const { openAdministeredDatabase } = await import('../../../engine/index.ts');
    await (await openAdministeredDatabase(dataDir)).stop();
  }
  // As root it may be elsewhere, in a folder of this data folder's own.
  if (cluster !== undefined && basename(cluster) === 'postgres' && dirname(cluster) !== resolve(dataDir)) rmSync(dirname(cluster), { recursive: true, force: true });
  for (const name of ownFiles) rmSync(join(dataDir, name), { recursive: true, force: true });
}
