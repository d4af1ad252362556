import { Command } from 'commander';
import { examples, withConnection, type CommandHost } from '../../command-host.ts';
import { wholeNumber } from '../../input/parse-flags.ts';
import type { WorkerFlags } from './start-worker.ts';

export function workerCommand(host: CommandHost): Command {
  const start = new Command('start')
    .description('a worker alone: no reload, started again with back-off when it dies')
    .argument(
      '[entry]',
      "the worker's program (default: dev.runCmd of hatchet.yaml, dev.entry of hatchet.config.ts, src/worker.ts or worker.ts)",
    )
    .option('--processes <n>', 'processes, for work that computes', wholeNumber(1, 64), 1)
    .option('--env-file <path>', "file of NAME=value lines for the worker (default: the project's .env)")
    .action((entry: string | undefined, flags: WorkerFlags) =>
      host.run(async () => (await import('./start-worker.ts')).startWorker(host.context, entry, flags)),
    );
  examples(withConnection(start), 'hatchet worker start src/worker.ts --processes 2');
  return new Command('worker').description('run workers').addCommand(start);
}
