import { Command } from 'commander';
import { examples, withConnection, withOutput, type CommandHost } from '../../command-host.ts';
import type { ListWorkersFlags, WorkerFlags } from './workers.ts';

const id = '0198c0de-0000-7000-8000-000000000000';

export function workersCommand(host: CommandHost): Command {
  const list = new Command('list')
    .alias('ls')
    .description('connected workers and their slots')
    .option('--all', 'also those that are gone')
    .action((flags: ListWorkersFlags) =>
      host.run(async () => (await import('./workers.ts')).listWorkers(host.context, flags)),
    );
  const get = new Command('get')
    .description('one worker: slots, labels, and what it runs')
    .argument('<worker>', 'id of the worker')
    .action((worker: string, flags: WorkerFlags) =>
      host.run(async () => (await import('./workers.ts')).getWorker(host.context, worker, flags)),
    );
  const setPaused = (verb: 'pause' | 'unpause', description: string): Command => {
    const command = new Command(verb)
      .description(description)
      .argument('<worker>', 'id of the worker')
      .action((worker: string, flags: WorkerFlags) =>
        host.run(async () => (await import('./workers.ts')).pauseWorker(host.context, { id: worker, verb }, flags)),
      );
    return examples(withOutput(withConnection(command)), `hatchet workers ${verb} ${id}`);
  };
  examples(withOutput(withConnection(list), ['text', 'json', 'ndjson']), 'hatchet workers list');
  examples(withOutput(withConnection(get)), `hatchet workers get ${id}`);
  return new Command('workers')
    .description('see and pause workers')
    .addCommand(list)
    .addCommand(get)
    .addCommand(setPaused('pause', 'it takes no new tasks from now on; those that it runs finish'))
    .addCommand(setPaused('unpause', 'let it take tasks again'));
}
