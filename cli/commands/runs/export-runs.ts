import { once } from 'node:events';
import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import type { ConnectionFlags } from '../../connection/resolve-connection.ts';
import { ExitCode } from '../../exit-codes.ts';
import { withReader } from '../../monitor/with-reader.ts';
import { amount } from '../../output/amount.ts';
import { Progress } from '../../output/progress.ts';
import { runValue } from '../../monitor/run-value.ts';
import { runFilter, type RunFilterFlags } from './list-runs.ts';

export interface ExportFlags extends RunFilterFlags, ConnectionFlags, OutputFlag {
  limit?: number;
}

/** Runs may be many and large: they are passed on one by one, and only as fast as they are read. @throws ServerError */
export async function exportRuns(context: CliContext, flags: ExportFlags): Promise<ExitCode> {
  const output = outputOf(context, flags);
  const { stdout, interrupted } = context;
  // In a terminal the runs themselves pass by.
  const progress = stdout.isTTY ? undefined : new Progress(context);
  let exported = 0;
  let last: string | undefined;
  try {
    await withReader(context, flags, async (reader) => {
      for await (const detail of reader.exportRuns(
        { ...runFilter(flags), ...(flags.limit === undefined ? {} : { limit: flags.limit }) },
        interrupted,
      )) {
        output.item(runValue(detail), () => '');
        exported++;
        progress?.say(() => `${amount(exported, 'run')} exported`);
        last = detail.run.runId;
        if (stdout.writableNeedDrain) await once(stdout, 'drain', { signal: interrupted }).catch(() => undefined);
      }
    });
  } catch (error) {
    progress?.end();
    if (last !== undefined) output.note(`${amount(exported, 'run')} exported; go on with --page ${last}`);
    throw error;
  }
  progress?.end();
  if (!interrupted.aborted) return ExitCode.done;
  if (last !== undefined) output.note(`${amount(exported, 'run')} exported; go on with --page ${last}`);
  return ExitCode.interrupted;
}
