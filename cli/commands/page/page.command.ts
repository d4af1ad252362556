import { Command } from 'commander';
import { examples, withConnection, withOutput, type CommandHost } from '../../command-host.ts';
import type { PageFlags } from './open-page.ts';

export function pageCommand(host: CommandHost): Command {
  const command = new Command('page')
    .description(
      'the page that the engine serves, in your browser: prints a link that signs you in, once and within a minute',
    )
    .option('--no-open', 'only print the link')
    .action((flags: PageFlags) => host.run(async () => (await import('./open-page.ts')).openPage(host.context, flags)));
  return examples(withOutput(withConnection(command)), 'hatchet page', 'hatchet page --profile production --no-open');
}
