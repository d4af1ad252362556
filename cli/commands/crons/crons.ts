import type { Cron } from '../../../sdk/index.ts';
import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import type { ConnectionFlags } from '../../connection/resolve-connection.ts';
import { withSdk } from '../../connection/with-sdk.ts';
import { ExitCode } from '../../exit-codes.ts';
import { checkObject } from '../../input/check-input.ts';
import type { Table } from '../../output/table.ts';

export type CronFlags = ConnectionFlags & OutputFlag;

export interface ListCronsFlags extends CronFlags {
  limit: number;
}

export interface CreateCronFlags extends CronFlags {
  name: string;
  input?: string;
  metadata?: Record<string, string>;
  priority?: 1 | 2 | 3;
  timezone?: string;
  catchUp?: 'none' | 'last' | 'all';
}

interface CronRow {
  cronId: string;
  name: string;
  workflow: string;
  expression: string;
  enabled: boolean;
}

const table: Table<CronRow> = {
  columns: [
    { title: 'CRON', cell: (cron) => cron.cronId },
    { title: 'NAME', cell: (cron) => cron.name, max: 30 },
    { title: 'WORKFLOW', cell: (cron) => cron.workflow, max: 40 },
    { title: 'EXPRESSION', cell: (cron) => cron.expression },
    { title: 'ON', cell: (cron) => (cron.enabled ? 'yes' : 'no') },
  ],
  empty: 'No crons.',
};

function rowOf(cron: Cron): CronRow {
  return {
    cronId: cron.metadata.id,
    name: cron.name ?? '',
    workflow: cron.workflowName,
    expression: cron.cron,
    enabled: cron.enabled,
  };
}

export async function listCrons(context: CliContext, flags: ListCronsFlags): Promise<ExitCode> {
  const { rows = [] } = await withSdk(context, flags, (hatchet) => hatchet.crons.list({ limit: flags.limit }));
  outputOf(context, flags).list({ rows: rows.map(rowOf), next: null }, table);
  return ExitCode.done;
}

/** @throws CliError, HatchetError */
export async function createCron(
  context: CliContext,
  target: { workflow: string; expression: string },
  flags: CreateCronFlags,
): Promise<ExitCode> {
  const input = checkObject(flags.input ?? '{}', '--input');
  const { name, metadata, priority, timezone, catchUp } = flags;
  const cron = await withSdk(context, flags, (hatchet) =>
    hatchet.crons.create(target.workflow, {
      name,
      expression: target.expression,
      input,
      additionalMetadata: metadata,
      priority,
      timezone,
      catchUp,
    }),
  );
  outputOf(context, flags).value(rowOf(cron), () => cron.metadata.id);
  return ExitCode.done;
}

/** @throws HatchetError UNKNOWN_RUN */
export async function changeCron(
  context: CliContext,
  { id, verb }: { id: string; verb: 'enable' | 'disable' | 'delete' },
  flags: CronFlags,
): Promise<ExitCode> {
  await withSdk(context, flags, (hatchet) =>
    verb === 'delete' ? hatchet.crons.delete(id) : hatchet.crons.update(id, { enabled: verb === 'enable' }),
  );
  const done = { enable: 'enabled', disable: 'disabled', delete: 'deleted' }[verb];
  outputOf(context, flags).value({ cronId: id, [done]: true }, () => `${id}  ${done}`);
  return ExitCode.done;
}
