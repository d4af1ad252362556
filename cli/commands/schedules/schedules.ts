import type { ScheduledRun } from '../../../sdk/index.ts';
import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import type { ConnectionFlags } from '../../connection/resolve-connection.ts';
import { withSdk } from '../../connection/with-sdk.ts';
import { ExitCode } from '../../exit-codes.ts';
import { checkObject } from '../../input/check-input.ts';
import type { Table } from '../../output/table.ts';

export type ScheduleFlags = ConnectionFlags & OutputFlag;

export interface ListSchedulesFlags extends ScheduleFlags {
  limit: number;
}

export interface CreateScheduleFlags extends ScheduleFlags {
  at: Date;
  input?: string;
  metadata?: Record<string, string>;
  priority?: 1 | 2 | 3;
}

interface ScheduleRow {
  scheduleId: string;
  workflow: string;
  triggerAt: string;
  /** Once it has come. */
  runId: string | null;
  status: string | null;
}

const table: Table<ScheduleRow> = {
  columns: [
    { title: 'SCHEDULE', cell: (row) => row.scheduleId },
    { title: 'WORKFLOW', cell: (row) => row.workflow, max: 40 },
    { title: 'AT', cell: (row) => row.triggerAt },
    { title: 'RUN', cell: (row) => row.runId ?? '' },
    { title: 'STATUS', cell: (row) => row.status ?? 'SCHEDULED' },
  ],
  empty: 'No scheduled runs.',
};

function rowOf(run: ScheduledRun): ScheduleRow {
  return {
    scheduleId: run.metadata.id,
    workflow: run.workflowName,
    triggerAt: run.triggerAt,
    runId: run.workflowRunId ?? null,
    status: run.workflowRunStatus ?? null,
  };
}

export async function listSchedules(context: CliContext, flags: ListSchedulesFlags): Promise<ExitCode> {
  const { rows = [] } = await withSdk(context, flags, (hatchet) => hatchet.scheduled.list({ limit: flags.limit }));
  outputOf(context, flags).list({ rows: rows.map(rowOf), next: null }, table);
  return ExitCode.done;
}

/** @throws CliError, HatchetError */
export async function createSchedule(
  context: CliContext,
  workflow: string,
  flags: CreateScheduleFlags,
): Promise<ExitCode> {
  const input = checkObject(flags.input ?? '{}', '--input');
  const run = await withSdk(context, flags, (hatchet) =>
    hatchet.scheduled.create(workflow, {
      triggerAt: flags.at,
      input,
      additionalMetadata: flags.metadata,
      priority: flags.priority,
    }),
  );
  outputOf(context, flags).value(rowOf(run), () => run.metadata.id);
  return ExitCode.done;
}

/** @throws HatchetError UNKNOWN_RUN */
export async function deleteSchedule(context: CliContext, id: string, flags: ScheduleFlags): Promise<ExitCode> {
  await withSdk(context, flags, (hatchet) => hatchet.scheduled.delete(id));
  outputOf(context, flags).value({ scheduleId: id, deleted: true }, () => `${id}  deleted`);
  return ExitCode.done;
}
