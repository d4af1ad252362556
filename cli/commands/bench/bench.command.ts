import { Command, Option } from 'commander';
import { examples, withConnection, withOutput, type CommandHost } from '../../command-host.ts';
import { byteSize, durationMs, wholeNumber } from '../../input/parse-flags.ts';
import { benchKinds } from './bench-workflows.ts';
import type { BenchFlags } from './bench.ts';

export function benchCommand(host: CommandHost): Command {
  const command = new Command('bench')
    .description('load an engine from outside, over the plain contract: one call a trigger, a start and a completion')
    .option('--rate <n>', 'runs a second (default: as many as --in-flight allows)', wholeNumber(1, 1_000_000))
    .option('--in-flight <n>', 'runs under way at once when no rate is given', wholeNumber(1, 100_000), 500)
    .addOption(new Option('--duration <time>', 'how long to trigger').argParser(durationMs).default(10_000, '10s'))
    .addOption(new Option('--warmup <time>', 'load before the measurement').argParser(durationMs).default(2_000, '2s'))
    .option('--size <bytes>', 'size of the input', byteSize, 100)
    .addOption(
      new Option('--workflow <kind>', 'one task, four in a diamond, or one under two concurrency links that admit it')
        .choices(benchKinds)
        .default('simple'),
    )
    .option('--workers <n>', 'worker processes', wholeNumber(1, 64), 1)
    .action((flags: BenchFlags) => host.run(async () => (await import('./bench.ts')).bench(host.context, flags)));
  return examples(
    withOutput(withConnection(command)),
    'hatchet bench --duration 10s -o json',
    'hatchet bench --rate 100 --duration 30s --workflow dag',
  );
}
