import type { CliContext } from '../../cli-context.ts';
import { wrongUse } from '../../cli-error.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import type { ConnectionFlags } from '../../connection/resolve-connection.ts';
import { ExitCode } from '../../exit-codes.ts';
import { parseRunQuery, queryFilter } from '../../monitor/run-query.ts';
import type { RunFilter, RunRow } from '../../monitor/run-reader.ts';
import type { RunStatusName } from '../../status-name.ts';
import { withReader } from '../../monitor/with-reader.ts';
import { ageText, spanText } from '../../output/time-text.ts';
import type { Table } from '../../output/table.ts';

/** Which runs. */
export interface RunFilterFlags {
  status?: RunStatusName[];
  workflow?: string[];
  since?: Date;
  until?: Date;
  metadata?: Record<string, string>;
  search?: string;
  page?: string;
}

export interface ListRunsFlags extends RunFilterFlags, ConnectionFlags, OutputFlag {
  limit: number;
}

export interface ChildRunsFlags extends ConnectionFlags, OutputFlag {
  limit: number;
  page?: string;
}

const table: Table<RunRow> = {
  columns: [
    { title: 'RUN', cell: (run) => run.runId },
    { title: 'WORKFLOW', cell: (run) => run.workflow, max: 40 },
    { title: 'STATUS', cell: (run) => run.status },
    { title: 'AGE', cell: (run) => ageText(run.createdAt), align: 'right' },
    { title: 'TOOK', cell: (run) => spanText(run.startedAt, run.finishedAt), align: 'right' },
    { title: 'ERROR', cell: (run) => run.errorMessage ?? '', max: 50 },
  ],
  empty: 'No runs. Trigger one with `hatchet trigger workflow <name>`.',
};

/** @throws CliError with exit code 2 for a word of the query that means nothing */
export function listRuns(context: CliContext, words: readonly string[], flags: ListRunsFlags): Promise<ExitCode> {
  // A word that the shell has taken the quotes of keeps its spaces.
  const query = parseRunQuery(
    words.map((word) => (/\s/.test(word) ? word.replace(/^([^\s:]+:)?(.*)$/s, '$1"$2"') : word)).join(' '),
  );
  if (query.problem !== undefined)
    throw wrongUse(query.problem, 'Words are status:, workflow:, since:, until:, key:value for metadata, and text.');
  return withReader(context, flags, async (reader) => {
    outputOf(context, flags).list(
      await reader.listRuns({ ...queryFilter(query), ...runFilter(flags), limit: flags.limit }),
      table,
    );
    return ExitCode.done;
  });
}

/** Of a run, or of one of its tasks. @throws ServerError for an unknown id */
export function listChildren(context: CliContext, parent: string, flags: ChildRunsFlags): Promise<ExitCode> {
  const { limit, page } = flags;
  return withReader(context, flags, async (reader) => {
    outputOf(context, flags).list(await reader.listRuns({ parent, limit, ...(page === undefined ? {} : { page }) }), {
      ...table,
      empty: 'It has no children.',
    });
    return ExitCode.done;
  });
}

/** What the flags ask of a list, but for its length. */
export function runFilter({ status, workflow, since, until, metadata, search, page }: RunFilterFlags): RunFilter {
  return {
    ...(status === undefined ? {} : { statuses: status }),
    ...(workflow === undefined ? {} : { workflows: workflow }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(search === undefined ? {} : { search }),
    ...(page === undefined ? {} : { page }),
  };
}
