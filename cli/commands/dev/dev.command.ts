import { Command, Option } from 'commander';
import { examples, type CommandHost } from '../../command-host.ts';
import { port, wholeNumber } from '../../input/parse-flags.ts';
import type { DevFlags } from './dev.ts';

export function devCommand(host: CommandHost): Command {
  const command = new Command('dev')
    .description('Postgres, engine, and a worker that reloads on save, in one command')
    .argument(
      '[entry]',
      "the worker's program (default: dev.runCmd of hatchet.yaml, dev.entry of hatchet.config.ts, src/worker.ts or worker.ts)",
    )
    .addOption(new Option('-o, --output <format>', 'form of the lines').choices(['text', 'ndjson']))
    .option('--no-tui', 'plain lines instead of the terminal UI')
    .option('--grpc-port <port>', 'gRPC port (default: 7077, or the next free one)', port)
    .option('--http-port <port>', 'HTTP port (default: 8888, or the next free one)', port)
    .option('--database-url <url>', 'Postgres 15 or newer, instead of the embedded one (default: DATABASE_URL)')
    .option('--data-dir <folder>', 'data folder (default: .hatchet in the project)')
    .option('--processes <n>', 'worker processes', wholeNumber(1, 64), 1)
    .option(
      '--inspect [address]',
      'a debugger for the worker, which stays across reloads (port or host:port; default: 127.0.0.1:9229)',
    )
    .option('--no-reload', 'do not watch the files')
    .option('--reset', 'delete all data of the data folder first, after a question')
    .option('--yes', 'answer that question with yes; without a terminal it has to be given')
    .option('--env-file <path>', "file of NAME=value lines for the worker (default: the project's .env)")
    .option('--trigger <workflow>', 'trigger this workflow once the worker is up')
    .option('--input <json>', 'input for --trigger (default: {})')
    .option('--once', 'end after the triggered run, with an exit code by its outcome')
    .action((entry: string | undefined, flags: DevFlags) =>
      host.run(async () => (await import('./dev.ts')).dev(host.context, entry, flags)),
    );
  return examples(command, 'hatchet dev', `hatchet dev --trigger simple --input '{"message":"Hi"}' --once`);
}
