import { Command, Option } from 'commander';
import { examples, withConnection, withOutput, type CommandHost } from '../../command-host.ts';
import { pair, wholeNumber } from '../../input/parse-flags.ts';
import type { CreateCronFlags, CronFlags, ListCronsFlags } from './crons.ts';

export function cronsCommand(host: CommandHost): Command {
  const list = new Command('list')
    .alias('ls')
    .description('crons with their workflows')
    .option('--limit <n>', 'rows', wholeNumber(1, 1000), 100)
    .action((flags: ListCronsFlags) =>
      host.run(async () => (await import('./crons.ts')).listCrons(host.context, flags)),
    );
  const create = new Command('create')
    .description('run a workflow again and again')
    .argument('<workflow>', 'name of the workflow')
    .argument('<expression>', 'five fields, or six with seconds first')
    .requiredOption('--name <name>', 'unique among the crons of the workflow')
    .option('--input <json>', 'input as JSON (default: {})')
    .option('--metadata <key=value>', 'metadata of the runs; may be repeated', pair)
    .option('--priority <1-3>', 'priority; 3 goes first', wholeNumber(1, 3))
    .option('--timezone <zone>', 'IANA name (default: UTC)')
    .addOption(new Option('--catch-up <policy>', 'what becomes of missed ticks').choices(['none', 'last', 'all']))
    .action((workflow: string, expression: string, flags: CreateCronFlags) =>
      host.run(async () => (await import('./crons.ts')).createCron(host.context, { workflow, expression }, flags)),
    );
  const change = (verb: 'enable' | 'disable' | 'delete', description: string): Command => {
    const command = new Command(verb)
      .description(description)
      .argument('<cron>', 'id of the cron')
      .action((id: string, flags: CronFlags) =>
        host.run(async () => (await import('./crons.ts')).changeCron(host.context, { id, verb }, flags)),
      );
    return examples(withOutput(withConnection(command)), `hatchet crons ${verb} 0198c0de-0000-7000-8000-000000000000`);
  };
  examples(withOutput(withConnection(list), ['text', 'json', 'ndjson']), 'hatchet crons list');
  examples(
    withOutput(withConnection(create)),
    `hatchet crons create report '0 3 * * *' --name nightly --timezone Europe/Berlin`,
  );
  return new Command('crons')
    .description('see and change crons')
    .addCommand(list)
    .addCommand(create)
    .addCommand(change('enable', 'let it fire again'))
    .addCommand(change('disable', 'keep it, without firing'))
    .addCommand(change('delete', 'remove it'));
}
