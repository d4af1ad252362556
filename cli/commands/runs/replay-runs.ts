import { inPieces } from '../../admin/bulk-runs.ts';
import { RunAdmin } from '../../admin/run-admin.ts';
import type { CliContext } from '../../cli-context.ts';
import { wrongUse } from '../../cli-error.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import { resolveConnection, type ConnectionFlags } from '../../connection/resolve-connection.ts';
import { ExitCode } from '../../exit-code.ts';
import type { RunDetail, RunReader } from '../../monitor/run-reader.ts';
import { withReader } from '../../monitor/with-reader.ts';
import { amount } from '../../output/amount.ts';
import { Progress } from '../../output/progress.ts';
import { checkSelection, selectRuns, type Deed, type SelectionFlags } from './select-runs.ts';

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
export async function replayRuns(context: CliContext, ids: readonly string[], flags: ReplayFlags): Promise<ExitCode> {
  const kind = checkSelection(ids, flags, deed);
  const progress = new Progress(context);
  const chosen = await withReader(context, flags, async (reader) => {
    const given = kind === 'ids' ? ids : (await selectRuns(context, reader, flags.failedOnly === true && flags.status === undefined ? { ...flags, status: ['FAILED'] } : flags, { deed, progress })).map((run) => run.runId);
    if (flags.failedOnly !== true && flags.task === undefined) {
      if (kind === 'ids') await Promise.all(given.map((id) => reader.getRun(id)));
      return given;
    }
    return chooseTasks(reader, given, { flags, progress });
  });
  const admin = new RunAdmin(resolveConnection(context, flags));
  try {
    const done: string[] = [];
    const handled = await inPieces(chosen, {
      signal: context.interrupted,
      act: async (piece) => {
        done.push(...(await admin.replay(piece)));
      },
      onPiece: (far) => progress.say(() => `Replaying: ${far.toLocaleString('en-US')} of ${amount(chosen.length, 'run')}`),
    });
    progress.end();
    outputOf(context, flags).value({ replayedTasks: done }, () => (done.length === 0 ? 'Nothing runs again: a run that has not ended is left out.' : `${amount(done.length, 'task')} ${done.length === 1 ? 'runs' : 'run'} again`));
    return handled < chosen.length ? ExitCode.interrupted : ExitCode.done;
  } finally {
    admin.close();
  }
}

/** Ids of tasks of the runs. @throws CliError where no run has a task of the name */
async function chooseTasks(reader: RunReader, runIds: readonly string[], { flags, progress }: { flags: ReplayFlags; progress: Progress }): Promise<string[]> {
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
  const named = details.flatMap(({ tasks }) => tasks).filter((task) => flags.task === undefined || task.name === flags.task);
  if (flags.task !== undefined && runIds.length > 0 && named.length === 0) {
    const names = [...new Set(details.flatMap(({ tasks }) => tasks.map((task) => task.name)))];
    throw wrongUse(`none of the runs has a task ${JSON.stringify(flags.task)}`, `Their tasks are ${names.slice(0, 20).join(', ')}.`);
  }
  return named.filter((task) => flags.failedOnly !== true || task.status === 'FAILED').map((task) => task.taskId);
}
