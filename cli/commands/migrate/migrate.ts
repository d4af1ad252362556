import type { MigrateOptions, MigrationState, MigrationStep } from '../../../engine/index.ts';
import type { CliContext } from '../../cli-context.ts';
import { CliError } from '../../cli-error.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import { withDatabase, type DatabaseFlags } from '../../database/find-database.ts';
import { ExitCode } from '../../exit-codes.ts';
import type { Output } from '../../output/output.ts';
import type { Table } from '../../output/table.ts';

export interface MigrateFlags extends DatabaseFlags, OutputFlag {
  to?: string;
  dryRun?: true;
}

const table: Table<MigrationState> = {
  columns: [
    { title: 'MIGRATION', cell: (row) => row.name },
    { title: 'APPLIED', cell: (row) => row.appliedAt?.toISOString() ?? 'no' },
    { title: '', cell: (row) => (row.changed ? 'the file has changed since' : row.newer ? 'of the next version' : '') },
  ],
  empty: 'No migrations.',
};

export function migrateUp(context: CliContext, flags: MigrateFlags): Promise<ExitCode> {
  const output = outputOf(context, flags);
  return withDatabase(context, flags, async ({ url }) => {
    const engine = await import('../../../engine/index.ts');
    report(output, await engine.migrateUp(url, optionsOf(output, flags)), flags);
    return ExitCode.done;
  });
}

export function migrateDown(context: CliContext, flags: MigrateFlags): Promise<ExitCode> {
  const output = outputOf(context, flags);
  return withDatabase(context, flags, async ({ url, engine: running }) => {
    if (running !== undefined && flags.dryRun !== true)
      throw new CliError(`an engine (pid ${running.pid}) runs on this database`, {
        remedy: 'Stop it first with `hatchet engine stop`.',
      });
    const engine = await import('../../../engine/index.ts');
    report(output, await engine.migrateDown(url, optionsOf(output, flags)), flags);
    return ExitCode.done;
  });
}

export function migrateStatus(context: CliContext, flags: MigrateFlags): Promise<ExitCode> {
  return withDatabase(context, flags, async ({ url }) => {
    const { migrationStatus } = await import('../../../engine/index.ts');
    const rows = await migrationStatus(url);
    outputOf(context, flags).list({ rows, next: null }, table);
    return ExitCode.done;
  });
}

export function migrateVerify(context: CliContext, flags: MigrateFlags): Promise<ExitCode> {
  return withDatabase(context, flags, async ({ url }) => {
    const { verifyMigrations } = await import('../../../engine/index.ts');
    await verifyMigrations(url);
    outputOf(context, flags).value({ verified: true }, () => 'The schema is exactly that of this version.');
    return ExitCode.done;
  });
}

function optionsOf(output: Output, flags: MigrateFlags): MigrateOptions {
  return {
    to: flags.to,
    dryRun: flags.dryRun,
    onNewer: (name) => output.note(`${name} is of the next version; this one serves on it`),
    onStep: (step) => output.note(`${step.direction}  ${step.name}  ${step.ms} ms`),
  };
}

function report(output: Output, steps: readonly MigrationStep[], flags: MigrateFlags): void {
  output.value({ dryRun: flags.dryRun === true, steps }, () => {
    if (steps.length === 0) return 'Nothing to do.';
    if (flags.dryRun === true) return steps.map((step) => `would go ${step.direction}: ${step.name}`).join('\n');
    return `${steps.length} ${steps.length === 1 ? 'migration' : 'migrations'} ${steps[0]?.direction === 'down' ? 'taken back' : 'applied'}.`;
  });
}
