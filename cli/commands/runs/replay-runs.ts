import { bulkDeed, outcomeTexts, type BulkItem } from '../../admin/bulk-deed.ts';
import { withRunAdmin } from '../../admin/with-run-admin.ts';
import type { CliContext } from '../../cli-context.ts';
import { wrongUse } from '../../cli-error.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import type { ConnectionFlags } from '../../connection/resolve-connection.ts';
import type { ExitCode } from '../../exit-codes.ts';
import type { RunDetail, RunReader, RunRow } from '../../monitor/run-reader.ts';
import { amount } from '../../output/amount.ts';
import { Progress } from '../../output/progress.ts';
import { checkSelection, selectRuns, type Deed, type SelectionFlags } from './select-runs.ts';
import { refusalsOf, tellOutcome } from './tell-bulk-outcome.ts';

export interface ReplayFlags extends ConnectionFlags, OutputFlag, SelectionFlags {
  /** Only tasks that failed, and what follows them. */
  failedOnly?: boolean;
  /** Only the task of this name, and what follows it. */
  task?: string;
}

const deed: Deed = { verb: 'replay', statuses: ['COMPLETED', 'FAILED', 'CANCELLED'] };
/** Runs that are looked at together. */
const lanes = 8;

/** All ids are looked up first: with an unknown one among them nothing runs again. Runs that have not ended are left out. @throws CliError, ServerError */
export function replayRuns(context: CliContext, ids: readonly string[], flags: ReplayFlags): Promise<ExitCode> {
  const kind = checkSelection(ids, flags, deed);
  const progress = new Progress(context);
  return withRunAdmin(context, flags, async ({ admin, reader }) => {
    const given =
      kind === 'ids'
        ? [...new Set(ids)]
        : await selectRuns(
            context,
            reader,
            flags.failedOnly === true && flags.status === undefined ? { ...flags, status: ['FAILED'] } : flags,
            { deed, progress },
          );
    const chosen = await choose(reader, given, { flags, progress });
    const onProgress = (far: number): void =>
      progress.say(() => `Replaying: ${far.toLocaleString('en-US')} of ${amount(chosen.length, 'run')}`);
    const outcome = await bulkDeed('replay', chosen, { admin, reader, signal: context.interrupted, onProgress });
    progress.end();
    const { tasks } = outcome;
    return tellOutcome(outcome, () =>
      outputOf(context, flags).value({ replayedTasks: tasks, refused: refusalsOf(outcome) }, () =>
        [
          tasks.length === 0
            ? 'Nothing runs again.'
            : `${amount(tasks.length, 'task')} ${tasks.length === 1 ? 'runs' : 'run'} again.`,
          ...outcomeTexts(outcome),
        ].join('\n'),
      ),
    );
  });
}

/** What is to run again: the runs, or tasks of them. */
async function choose(
  reader: RunReader,
  given: readonly (string | RunRow)[],
  { flags, progress }: { flags: ReplayFlags; progress: Progress },
): Promise<readonly BulkItem[]> {
  if (flags.failedOnly === true || flags.task !== undefined)
    return chooseTasks(
      reader,
      given.map((one) => (typeof one === 'string' ? one : one.runId)),
      { flags, progress },
    );
  return Promise.all(given.map(async (one) => (typeof one === 'string' ? itemOf(one, await reader.getRun(one)) : one)));
}

/** Of a run, or of one of its tasks, which brings those that follow it: how many they are is not known. */
function itemOf(id: string, { run, tasks }: RunDetail): BulkItem {
  return id === run.runId
    ? run
    : { runId: id, status: tasks.find(({ taskId }) => taskId === id)?.status ?? run.status, taskCount: 0 };
}

/** Tasks of the runs. @throws CliError where no run has a task of the name */
async function chooseTasks(
  reader: RunReader,
  runIds: readonly string[],
  { flags, progress }: { flags: ReplayFlags; progress: Progress },
): Promise<BulkItem[]> {
  const details: RunDetail[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let id = runIds[next++]; id !== undefined; id = runIds[next++]) {
      details.push(await reader.getRun(id));
      progress.say(() => `Looking at ${details.length.toLocaleString('en-US')} of ${amount(runIds.length, 'run')}`);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  progress.end();
  const named = details
    .flatMap(({ tasks }) => tasks)
    .filter((task) => flags.task === undefined || task.name === flags.task);
  if (flags.task !== undefined && runIds.length > 0 && named.length === 0) {
    const names = [...new Set(details.flatMap(({ tasks }) => tasks.map((task) => task.name)))];
    throw wrongUse(
      `none of the runs has a task ${JSON.stringify(flags.task)}`,
      `Their tasks are ${names.slice(0, 20).join(', ')}.`,
    );
  }
  return named
    .filter((task) => flags.failedOnly !== true || task.status === 'FAILED')
    .map((task) => ({ runId: task.taskId, status: task.status, taskCount: 0 }));
}
