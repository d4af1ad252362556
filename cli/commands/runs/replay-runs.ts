import { RunAdmin } from '../../admin/run-admin.ts';
import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import { resolveConnection, type ConnectionFlags } from '../../connection/resolve-connection.ts';
import { ExitCode } from '../../exit-code.ts';
import { withReader } from '../../monitor/with-reader.ts';

export type ReplayFlags = ConnectionFlags & OutputFlag;

/** All ids are looked up first: with an unknown one among them nothing runs again. Runs that have not ended are left out. */
export async function replayRuns(context: CliContext, ids: readonly string[], flags: ReplayFlags): Promise<ExitCode> {
  await withReader(context, flags, (reader) => Promise.all(ids.map((id) => reader.getRun(id))));
  const admin = new RunAdmin(resolveConnection(context, flags));
  try {
    const replayed = await admin.replay(ids);
    outputOf(context, flags).value({ replayedTasks: replayed }, () => (replayed.length === 0 ? 'Nothing runs again: a run that has not ended is left out.' : `${replayed.length} ${replayed.length === 1 ? 'task runs' : 'tasks run'} again`));
  } finally {
    admin.close();
  }
  return ExitCode.done;
}
