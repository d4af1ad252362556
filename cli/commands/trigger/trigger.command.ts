import { Command } from 'commander';
import { examples, withConnection, withOutput, type CommandHost } from '../../command-host.ts';
import { pair, wholeNumber } from '../../input/parse-flags.ts';
import type { EventFlags } from './trigger-event.ts';
import type { TriggerFlags } from './trigger-workflow.ts';

export function triggerCommand(host: CommandHost): Command {
  const trigger = new Command('trigger').description('start runs and push events');
  const workflow = new Command('workflow')
    .description('trigger a workflow, and with --wait follow it to its output')
    .argument('<name>', 'name of the workflow')
    .option('--input <json>', 'input as JSON (default: {})')
    .option('--input-file <path>', 'input from a file, or from stdin with -')
    .option('--metadata <key=value>', 'metadata of the run; may be repeated', pair)
    .option('--priority <1-3>', 'priority; 3 goes first', wholeNumber(1, 3))
    .option('--count <n>', 'number of runs, each with the same input', wholeNumber(1, 100_000), 1)
    .option('--wait', 'wait for the end, print the output, exit by the outcome')
    .option('--dry-run', 'check everything and trigger nothing');
  workflow.action((name: string, flags: TriggerFlags) =>
    host.run(async () => {
      const { triggerWorkflow } = await import('./trigger-workflow.ts');
      return triggerWorkflow(host.context, name, flags);
    }),
  );
  examples(withOutput(withConnection(workflow)), `hatchet trigger workflow simple --input '{"message":"Hi"}' --wait`);
  const event = new Command('event')
    .description('push an event, and name the runs that it started')
    .argument('<key>', "the event's key")
    .option('--data <json>', 'payload as a JSON object (default: {})')
    .option('--scope <scope>', 'for filters and waits of this scope')
    .option('--metadata <key=value>', 'metadata, inherited by the runs; may be repeated', pair)
    .option('--priority <1-3>', 'priority of the runs; 3 goes first', wholeNumber(1, 3));
  event.action((key: string, flags: EventFlags) =>
    host.run(async () => (await import('./trigger-event.ts')).triggerEvent(host.context, key, flags)),
  );
  examples(withOutput(withConnection(event)), `hatchet trigger event user:created --data '{"id":7}'`);
  return trigger.addCommand(workflow).addCommand(event);
}
