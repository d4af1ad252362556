import { Command, Option } from 'commander';
import { examples, withOutput, type CommandHost } from '../../command-host.ts';
import { templateNames } from '../../scaffold/find-template.ts';
import { packageManagers } from '../../scaffold/package-manager.ts';
import type { InitFlags } from './init.ts';

export function initCommand(host: CommandHost): Command {
  const command = new Command('init')
    .alias('quickstart')
    .description('make a new project, or add tasks and a worker to one that is there')
    .argument('[dir]', 'its folder; made if it is missing; what is in it stays as it is')
    .option('--template <name>', `${templateNames().join(', ')} (default: simple)`)
    .addOption(
      new Option('--package-manager <name>', 'whose commands to show (default: whose lock file is there)').choices(
        packageManagers,
      ),
    )
    .option('--agents', 'write a short AGENTS.md too, for coding agents')
    .option('-y, --yes', 'ask nothing, take the defaults')
    .action((dir: string | undefined, flags: InitFlags) =>
      host.run(async () => (await import('./init.ts')).init(host.context, dir, flags)),
    );
  return examples(withOutput(command), 'hatchet init my-app --template dag', 'hatchet init . --template durable');
}
