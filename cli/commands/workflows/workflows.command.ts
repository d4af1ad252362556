import { Command, Option } from 'commander';
import { examples, withConnection, withOutput, type CommandHost } from '../../command-host.ts';
import { durationMs } from '../../input/parse-flags.ts';
import type { DeleteWorkflowFlags } from './delete-workflow.ts';
import type { PauseFlags, WorkflowFlags } from './workflows.ts';

const meanwhile = ['queue', 'drop'] as const;

export function workflowsCommand(host: CommandHost): Command {
  const list = new Command('list')
    .alias('ls')
    .description('registered workflows')
    .action((flags: WorkflowFlags) =>
      host.run(async () => (await import('./workflows.ts')).listWorkflows(host.context, flags)),
    );
  const get = new Command('get')
    .description('one workflow: tasks and the schema of its input')
    .argument('<name>', 'name of the workflow')
    .action((name: string, flags: WorkflowFlags) =>
      host.run(async () => (await import('./workflows.ts')).getWorkflow(host.context, name, flags)),
    );
  const pause = new Command('pause')
    .description('its queued tasks wait from now on; those that run finish')
    .argument('<name>', 'name of the workflow')
    .addOption(new Option('--crons <what>', 'ticks of its crons meanwhile').choices(meanwhile).default('queue'))
    .addOption(new Option('--scheduled <what>', 'its scheduled runs meanwhile').choices(meanwhile).default('queue'))
    .option('--queue-ttl <duration>', 'cancel a task that has been queued for longer (default: 365d)', durationMs)
    .action((name: string, flags: PauseFlags) =>
      host.run(async () => (await import('./workflows.ts')).pauseWorkflow(host.context, { name, paused: true }, flags)),
    );
  const unpause = new Command('unpause')
    .description('let its tasks go on')
    .argument('<name>', 'name of the workflow')
    .action((name: string, flags: WorkflowFlags) =>
      host.run(async () =>
        (await import('./workflows.ts')).pauseWorkflow(host.context, { name, paused: false }, flags),
      ),
    );
  const remove = new Command('delete')
    .description(
      'end a workflow: nothing starts it, its timers go, what is queued of it is cancelled; a worker that registers it brings it back',
    )
    .argument('<name>', 'name of the workflow')
    .option('--yes', 'do not ask; needed without a terminal')
    .action((name: string, flags: DeleteWorkflowFlags) =>
      host.run(async () => (await import('./delete-workflow.ts')).deleteWorkflow(host.context, name, flags)),
    );
  examples(withOutput(withConnection(remove)), 'hatchet workflows delete simple');
  examples(
    withOutput(withConnection(pause)),
    'hatchet workflows pause simple',
    'hatchet workflows pause simple --crons drop --queue-ttl 2h',
  );
  examples(withOutput(withConnection(unpause)), 'hatchet workflows unpause simple');
  examples(withOutput(withConnection(list), ['text', 'json', 'ndjson']), 'hatchet workflows list');
  examples(withOutput(withConnection(get)), 'hatchet workflows get simple -o json');
  return new Command('workflows')
    .description('see, pause and delete what is registered')
    .addCommand(list)
    .addCommand(get)
    .addCommand(pause)
    .addCommand(unpause)
    .addCommand(remove);
}
