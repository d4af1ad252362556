import { Command } from 'commander';
import { examples, withConnection, withOutput, type CommandHost } from '../../command-host.ts';
import type { WorkflowFlags } from './workflows.ts';

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
  const setPaused = (verb: 'pause' | 'unpause', description: string): Command => {
    const command = new Command(verb)
      .description(description)
      .argument('<name>', 'name of the workflow')
      .action((name: string, flags: WorkflowFlags) =>
        host.run(async () => (await import('./workflows.ts')).pauseWorkflow(host.context, { name, verb }, flags)),
      );
    return examples(withOutput(withConnection(command)), `hatchet workflows ${verb} simple`);
  };
  examples(withOutput(withConnection(list), ['text', 'json', 'ndjson']), 'hatchet workflows list');
  examples(withOutput(withConnection(get)), 'hatchet workflows get simple -o json');
  return new Command('workflows')
    .description('see and pause what is registered')
    .addCommand(list)
    .addCommand(get)
    .addCommand(setPaused('pause', 'its queued tasks wait from now on; those that run finish'))
    .addCommand(setPaused('unpause', 'let its tasks go on'));
}
