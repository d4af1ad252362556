import { inPieces } from '../../admin/bulk-runs.ts';
import { RunAdmin } from '../../admin/run-admin.ts';
import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import { resolveConnection, type ConnectionFlags } from '../../connection/resolve-connection.ts';
import { ExitCode } from '../../exit-code.ts';
import type { RunRow } from '../../monitor/run-reader.ts';
import { isTerminal } from '../../monitor/status-name.ts';
import { withReader } from '../../monitor/with-reader.ts';
import { amount } from '../../output/amount.ts';
import { Progress } from '../../output/progress.ts';
import { checkSelection, selectRuns, type Deed, type SelectionFlags } from './select-runs.ts';

export type CancelFlags = ConnectionFlags & OutputFlag & SelectionFlags;

const deed: Deed = { verb: 'cancel', statuses: ['QUEUED', 'RUNNING', 'EVICTED'] };

/** All ids are looked up first: with an unknown one among them nothing is cancelled. @throws CliError, ServerError */
export async function cancelRuns(context: CliContext, ids: readonly string[], flags: CancelFlags): Promise<ExitCode> {
  const kind = checkSelection(ids, flags, deed);
  const progress = new Progress(context);
  const runs: RunRow[] = await withReader(context, flags, async (reader) => (kind === 'ids' ? (await Promise.all(ids.map((id) => reader.getRun(id)))).map(({ run }) => run) : selectRuns(context, reader, flags, { deed, progress })));
  const open = runs.filter((run) => !isTerminal(run.status)).map((run) => run.runId);
  const ended = runs.filter((run) => isTerminal(run.status));
  const admin = new RunAdmin(resolveConnection(context, flags));
  try {
    const handled = await inPieces(open, {
      signal: context.interrupted,
      act: async (piece) => {
        await admin.cancel(piece);
      },
      onPiece: (far) => progress.say(() => `Cancelling: ${far.toLocaleString('en-US')} of ${amount(open.length, 'run')}`),
    });
    progress.end();
    const cancelled = open.slice(0, handled);
    outputOf(context, flags).value({ cancelled, alreadyEnded: ended.map((run) => run.runId) }, () =>
      kind === 'selection' ? `Cancelled ${amount(cancelled.length, 'run')}.` : [...cancelled.map((id) => `${id}  cancelled`), ...ended.map((run) => `${run.runId}  had ended before, ${run.status}`)].join('\n'),
    );
    return handled < open.length ? ExitCode.interrupted : ExitCode.done;
  } finally {
    admin.close();
  }
}
