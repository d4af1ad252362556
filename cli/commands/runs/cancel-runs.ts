import { bulkDeed, outcomeTexts, type BulkOutcome } from '../../admin/bulk-deed.ts';
import { withRunAdmin } from '../../admin/with-run-admin.ts';
import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import type { ConnectionFlags } from '../../connection/resolve-connection.ts';
import type { ExitCode } from '../../exit-codes.ts';
import { amount } from '../../output/amount.ts';
import { Progress } from '../../output/progress.ts';
import { checkSelection, selectRuns, type Deed, type SelectionFlags } from './select-runs.ts';
import { refusalsOf, tellOutcome } from './tell-bulk-outcome.ts';

export type CancelFlags = ConnectionFlags & OutputFlag & SelectionFlags;

const deed: Deed = { verb: 'cancel', statuses: ['QUEUED', 'RUNNING', 'EVICTED'] };

/** All ids are looked up first: with an unknown one among them nothing is cancelled. @throws CliError, ServerError */
export function cancelRuns(context: CliContext, ids: readonly string[], flags: CancelFlags): Promise<ExitCode> {
  const kind = checkSelection(ids, flags, deed);
  const progress = new Progress(context);
  return withRunAdmin(context, flags, async ({ admin, reader }) => {
    const runs =
      kind === 'ids'
        ? (await Promise.all([...new Set(ids)].map((id) => reader.getRun(id)))).map(({ run }) => run)
        : await selectRuns(context, reader, flags, { deed, progress });
    const onProgress = (far: number): void =>
      progress.say(() => `Cancelling: ${far.toLocaleString('en-US')} of ${amount(runs.length, 'run')}`);
    const outcome = await bulkDeed('cancel', runs, { admin, reader, signal: context.interrupted, onProgress });
    progress.end();
    return tellOutcome(outcome, () =>
      outputOf(context, flags).value({ cancelled: outcome.done, refused: refusalsOf(outcome) }, () =>
        (kind === 'selection'
          ? [`Cancelled ${amount(outcome.done.length, 'run')}.`, ...outcomeTexts(outcome)]
          : eachText(
              runs.map(({ runId }) => runId),
              outcome,
            )
        ).join('\n'),
      ),
    );
  });
}

function eachText(ids: readonly string[], { done, refused, left, error }: BulkOutcome): string[] {
  const cancelled = new Set(done);
  const each = ids.flatMap((id) =>
    cancelled.has(id) ? [`${id}  cancelled`] : refused.has(id) ? [`${id}  not cancelled: ${refused.get(id)}`] : [],
  );
  return [...each, ...outcomeTexts({ refused: new Map(), left, error })];
}
