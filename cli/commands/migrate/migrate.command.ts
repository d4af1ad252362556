import { Command } from 'commander';
import { examples, withOutput, type CommandHost } from '../../command-host.ts';
import type { MigrateFlags } from './migrate.ts';

function withDatabaseFlags(command: Command): Command {
  return withOutput(
    command
      .option(
        '--database-url <url>',
        'Postgres 15 or newer (default: the running engine of the data folder, DATABASE_URL, or the embedded one)',
      )
      .option('--data-dir <folder>', 'data folder of the engine (default: .hatchet in the project)'),
  );
}

export function migrateCommand(host: CommandHost): Command {
  const migrate = new Command('migrate').description('bring the database to this version, or back');
  const up = new Command('up')
    .description('apply what is missing (the default)')
    .option('--to <migration>', 'stop after this migration, by number or name')
    .option('--dry-run', 'print what would be applied')
    .action((flags: MigrateFlags) =>
      host.run(async () => (await import('./migrate.ts')).migrateUp(host.context, flags)),
    );
  const down = new Command('down')
    .description('take back the newest migration, or all after --to; their data is gone')
    .option('--to <migration>', 'the last migration that stays; 0 takes back all')
    .option('--dry-run', 'print what would be taken back')
    .action((flags: MigrateFlags) =>
      host.run(async () => (await import('./migrate.ts')).migrateDown(host.context, flags)),
    );
  const status = new Command('status')
    .description('every migration, and when it was applied')
    .action((flags: MigrateFlags) =>
      host.run(async () => (await import('./migrate.ts')).migrateStatus(host.context, flags)),
    );
  const verify = new Command('verify')
    .description('fail unless the schema is exactly that of this version')
    .action((flags: MigrateFlags) =>
      host.run(async () => (await import('./migrate.ts')).migrateVerify(host.context, flags)),
    );
  examples(withDatabaseFlags(up), 'hatchet migrate up --dry-run');
  examples(withDatabaseFlags(down), 'hatchet migrate down --to 0001');
  examples(withDatabaseFlags(status), 'hatchet migrate status -o json');
  examples(withDatabaseFlags(verify), 'hatchet migrate verify --database-url postgres://localhost/hatchet');
  return migrate.addCommand(up, { isDefault: true }).addCommand(down).addCommand(status).addCommand(verify);
}
