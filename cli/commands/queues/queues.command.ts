import { Command } from 'commander';
import { examples, withConnection, withOutput, type CommandHost } from '../../command-host.ts';
import type { QueuesFlags } from './list-queues.ts';

export function queuesCommand(host: CommandHost): Command {
  const list = new Command('list')
    .alias('ls')
    .description('what waits and what for: queues, concurrency keys, rate limits, at most 200 of each, the worst first')
    .action((flags: QueuesFlags) =>
      host.run(async () => (await import('./list-queues.ts')).listQueues(host.context, flags)),
    );
  examples(withOutput(withConnection(list)), 'hatchet queues list');
  return new Command('queues').description('see what waits, and for what').addCommand(list);
}
