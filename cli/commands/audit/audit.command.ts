import { Command } from 'commander';
import { examples, withConnection, withOutput, type CommandHost } from '../../command-host.ts';
import { wholeNumber } from '../../input/parse-flags.ts';
import { timeOrAge } from '../../input/time-or-age.ts';
import type { ListAuditFlags } from './list-audit.ts';

export function auditCommand(host: CommandHost): Command {
  const list = new Command('list')
    .alias('ls')
    .description('who changed what, newest first; needs a token with the role admin')
    .option('--since <time>', 'after a time, or within an age such as 2h', timeOrAge)
    .option('--token-id <id>', 'only what was done with this token')
    .option('--action <text>', 'only actions with this in their name, such as CancelTasks')
    .option('--id <id>', 'only what made or changed this')
    .option('--limit <n>', 'rows', wholeNumber(1, 1000), 50)
    .option('--page <token>', 'where the page before ended')
    .action((flags: ListAuditFlags) =>
      host.run(async () => (await import('./list-audit.ts')).listAudit(host.context, flags)),
    );
  examples(
    withOutput(withConnection(list), ['text', 'json', 'ndjson']),
    'hatchet audit list --since 1d --action token',
  );
  return new Command('audit').description('see who changed what').addCommand(list);
}
