import { RunAdmin } from '../../admin/run-admin.ts';
import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import { resolveConnection, type ConnectionFlags } from '../../connection/resolve-connection.ts';
import { ExitCode } from '../../exit-code.ts';
import { isTerminal } from '../../monitor/status-name.ts';
import { withReader } from '../../monitor/with-reader.ts';

export type CancelFlags = ConnectionFlags & OutputFlag;

/** All ids are looked up first: with an unknown one among them nothing is cancelled. */
export async function cancelRuns(context: CliContext, runIds: readonly string[], flags: CancelFlags): Promise<ExitCode> {
  const runs = await withReader(context, flags, (reader) => Promise.all(runIds.map((runId) => reader.getRun(runId))));
  const open = runs.map(({ run }) => run).filter((run) => !isTerminal(run.status));
  const ended = runs.map(({ run }) => run).filter((run) => isTerminal(run.status));
  const admin = new RunAdmin(resolveConnection(context, flags));
  try {
    if (open.length > 0) await admin.cancel(open.map((run) => run.runId));
  } finally {
    admin.close();
  }
  outputOf(context, flags).value({ cancelled: open.map((run) => run.runId), alreadyEnded: ended.map((run) => run.runId) }, () =>
    [...open.map((run) => `${run.runId}  cancelled`), ...ended.map((run) => `${run.runId}  had ended before, ${run.status}`)].join('\n'),
  );
  return ExitCode.done;
}
