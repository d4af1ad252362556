import { Command } from 'commander';
import { examples, withConnection, withOutput, type CommandHost } from '../../command-host.ts';
import type { WorkersFlags } from './list-workers.ts';

export function workersCommand(host: CommandHost): Command {
  const list = new Command('list')
    .alias('ls')
    .description('connected workers and their slots')
    .option('--all', 'also those that are gone')
    .action((flags: WorkersFlags) => host.run(async () => (await import('./list-workers.ts')).listWorkers(host.context, flags)));
  examples(withOutput(withConnection(list), ['text', 'json', 'ndjson']), 'hatchet workers list');
  return new Command('workers').description('see workers').addCommand(list);
}
