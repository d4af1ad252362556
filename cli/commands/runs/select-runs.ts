import { breakdown, runPages } from '../../admin/bulk-runs.ts';
import { isInteractive, type CliContext } from '../../cli-context.ts';
import { CliError, wrongUse } from '../../cli-error.ts';
import { ExitCode } from '../../exit-codes.ts';
import type { RunReader, RunRow } from '../../monitor/run-reader.ts';
import type { RunStatusName } from '../../status-name.ts';
import { amount } from '../../output/amount.ts';
import type { Progress } from '../../output/progress.ts';
import { runFilter, type RunFilterFlags } from './list-runs.ts';

/** Runs by what they are instead of by their ids. */
export interface SelectionFlags extends Pick<RunFilterFlags, 'status' | 'workflow' | 'since' | 'until' | 'metadata'> {
  yes?: boolean;
}

/** What can be done to runs, and to which. */
export interface Deed {
  /** As in "cancel 3 runs". */
  verb: string;
  /** Those that it can be done to; the others of a selection are left out. */
  statuses: readonly RunStatusName[];
}

/** @throws CliError with exit code 2 for ids beside a selection, for neither, and for a status to which it cannot be done */
export function checkSelection(ids: readonly string[], flags: SelectionFlags, deed: Deed): 'ids' | 'selection' {
  const { status, workflow, since, until, metadata } = flags;
  const selects = [status, workflow, since, until, metadata].some((flag) => flag !== undefined);
  if (ids.length > 0 && selects)
    throw wrongUse(
      `ids were given, and a selection beside them`,
      'Give the ids, or say which runs by --status, --workflow, --since, --until and --metadata.',
    );
  if (ids.length === 0 && !selects)
    throw wrongUse(
      `no run was named`,
      `Give ids of runs, or say which by --status, --workflow, --since, --until and --metadata: \`--status ${deed.statuses.join(',')}\` means all.`,
    );
  const wrong = status?.find((name) => !deed.statuses.includes(name));
  if (wrong !== undefined)
    throw wrongUse(
      `runs that are ${wrong} cannot be ${deed.verb === 'cancel' ? 'cancelled' : 'replayed'}`,
      `Choose of ${deed.statuses.join(', ')}.`,
    );
  return selects ? 'selection' : 'ids';
}

/** The runs that the flags mean, newest first: read whole, counted and confirmed before anything is done to one. @throws CliError where it is not confirmed */
export async function selectRuns(
  context: CliContext,
  reader: RunReader,
  flags: SelectionFlags,
  options: { deed: Deed; progress: Progress },
): Promise<RunRow[]> {
  const { deed, progress } = options;
  const { status, workflow, since, until, metadata } = flags;
  const filter = runFilter({
    status: [...(status ?? deed.statuses)],
    ...(workflow === undefined ? {} : { workflow }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(metadata === undefined ? {} : { metadata }),
  });
  const runs: RunRow[] = [];
  for await (const rows of runPages(reader, filter)) {
    runs.push(...rows);
    progress.say(() => `${amount(runs.length, 'run')} found`);
    if (context.interrupted.aborted) throw new CliError('nothing was changed', { exitCode: ExitCode.interrupted });
  }
  progress.end();
  if (runs.length > 0 && flags.yes !== true)
    await confirm(context, `${deed.verb} ${amount(runs.length, 'run')} (${breakdown(runs)})`);
  return runs;
}

async function confirm(context: CliContext, what: string): Promise<void> {
  if (!isInteractive(context))
    throw wrongUse(`without a terminal nobody can be asked whether to ${what}`, 'Add --yes if that is meant.');
  const prompts = await import('@clack/prompts');
  if (
    (await prompts.confirm({ message: `${what.charAt(0).toUpperCase()}${what.slice(1)}?`, initialValue: false })) !==
    true
  )
    throw new CliError('nothing was changed', { exitCode: ExitCode.interrupted });
}
