import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { historyOf, type History } from './moves.ts';
import { printed, shrink, simulate } from './shrink.ts';

/** Progress is said so often. */
const everyMs = 10_000;

function whole(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new InvalidArgumentError('Give a whole number.');
  return number;
}

const program = new Command('test:simulation')
  .description('Simulates histories of engines, their store, workers and callers, each from its seed.')
  .option('--seeds <number>', 'how many', whole, 5_000)
  .option('--from <seed>', 'the first', whole, 1)
  .option('--faults <share>', 'how much goes wrong; 0 for nothing', Number, 1)
  .option('--history <file>', 'replays a history as it was printed, instead of seeds')
  .option('--verbose', 'says all that happens', false)
  .option('--no-shrink', 'prints a failing history as it is')
  .parse();
const options = program.opts<{
  seeds: number;
  from: number;
  faults: number;
  history?: string;
  verbose: boolean;
  shrink: boolean;
}>();

const done = { steps: 0, runs: 0, ahead: 0, hours: 0 };
let rejected: string | undefined;
process.on('unhandledRejection', (error) => {
  rejected ??= error instanceof Error ? (error.stack ?? error.message) : String(error);
});

/** @returns whether all was well */
async function run(history: History): Promise<boolean> {
  const outcome = await simulate(history, { keepLines: options.verbose });
  done.steps += outcome.steps;
  done.runs += outcome.runs;
  done.ahead += outcome.ahead;
  done.hours += outcome.simulatedMs / 3_600_000;
  for (const line of outcome.lines) process.stdout.write(`${line}\n`);
  const violation = outcome.violation ?? (rejected === undefined ? undefined : `nobody took an error: ${rejected}`);
  rejected = undefined;
  if (violation === undefined) return true;
  process.stdout.write(`\nseed ${history.seed} fails: ${violation}\n`);
  const failure = { history, outcome: { ...outcome, violation } };
  if (options.shrink && outcome.violation !== undefined) {
    process.stdout.write('shrinking…\n');
    process.stdout.write(`${printed(await shrink(failure))}\n`);
  } else process.stdout.write(`${printed(failure)}\n`);
  return false;
}

function readHistory(file: string): History {
  const { rest, moves }: { rest: Omit<History, 'moves'>; moves: History['moves'] } = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  return { ...rest, moves };
}

const startedAt = performance.now();
let saidAt = startedAt;
const failing: number[] = [];
if (options.history !== undefined) {
  if (!(await run(readHistory(options.history)))) process.exitCode = 1;
} else {
  for (let n = 0; n < options.seeds; n++) {
    const seed = options.from + n;
    if (!(await run(historyOf(seed, options.faults)))) failing.push(seed);
    if (performance.now() - saidAt < everyMs) continue;
    saidAt = performance.now();
    process.stdout.write(
      `${n + 1} of ${options.seeds} seeds, ${failing.length} failing, ${Math.round((saidAt - startedAt) / 1000)} s\n`,
    );
  }
  process.stdout.write(
    `simulation: ${options.seeds} seeds from ${options.from} (${done.runs} runs, ${done.ahead} transactions planned beside a commit, ${done.steps} steps, ${Math.round(done.hours)} hours of simulated time), ${failing.length} failing${failing.length === 0 ? '' : `: ${failing.join(', ')}`}, ${Math.round((performance.now() - startedAt) / 1000)} s\n`,
  );
  if (failing.length > 0) process.exitCode = 1;
}
