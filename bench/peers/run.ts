/**
 * This project's engine and SDK beside other job queues: `npm run bench:peers [-- --rounds N] [--only a,b] [--quick]`.
 * Needs a build and the packages of this folder. Prints Markdown tables; progress goes to stderr.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Contestant } from './contestant.ts';
import type { Figures, Sizes } from './measure.ts';

const here = import.meta.dirname;
const installed = existsSync(join(here, 'node_modules', '.package-lock.json'));
const built = existsSync(join(here, '../../dist/engine/main.js'));
if (!installed || !built) {
  if (!installed) console.error('The other queues are not installed. First: npm ci --prefix bench/peers');
  if (!built) console.error('The engine is not built. First: npm run build');
  process.exit(1);
}
// These need what is installed.
const [{ Cleanup }, { loadContestant, names, ours }, { measure }, { printTables }] = await Promise.all([
  import('./cleanup.ts'),
  import('./contestants.ts'),
  import('./measure.ts'),
  import('./table.ts'),
]);

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});
const sizes: Sizes = values.quick
  ? { jobs: 4_000, warmUp: 1_000, inFlight: 500, paced: 300, everyMs: 10 }
  : { jobs: 20_000, warmUp: 2_000, inFlight: 500, paced: 1_000, everyMs: 10 };
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds is a number from 1, not ${values.rounds}`);
const wanted = values.only?.split(',') ?? names;
const chosen = new Map<string, Contestant>();
for (const name of [ours, ...wanted]) if (!chosen.has(name)) chosen.set(name, await loadContestant(name));

const cleanup = new Cleanup();
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    interrupted.abort();
    void cleanup.run();
  });

const figures = new Map<string, Figures[]>();
/** Why a contestant could not be measured. It is left out from then on. */
const failures = new Map<string, string>();
for (let round = 0; round < rounds; round++) {
  const order = [...chosen];
  // Another one begins each round: what the machine does meanwhile falls on all of them.
  order.push(...order.splice(0, round % order.length));
  for (const [name, contestant] of order) {
    if (interrupted.signal.aborted || failures.has(name)) continue;
    console.error(`round ${round + 1} of ${rounds}: ${name}`);
    try {
      figures.set(name, [...(figures.get(name) ?? []), await measure(name, contestant, sizes, cleanup)]);
    } catch (error) {
      if (interrupted.signal.aborted) continue;
      console.error(error);
      failures.set(name, error instanceof Error ? error.message : String(error));
    }
  }
}
await cleanup.run();
if (!interrupted.signal.aborted) printTables({ figures, failures, chosen, ours, sizes, rounds });
// Packages of contestants may have left timers behind.
process.exit(interrupted.signal.aborted ? 130 : failures.size > 0 ? 1 : 0);
