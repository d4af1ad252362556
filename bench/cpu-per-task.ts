/**
 * CPU that a task takes in the engine's own code: the planner alone, the SQL parameters alone, and what both leave to the
 * collector of garbage. `npm run bench:cpu [rounds]`; `--against <file>` measures another version in turn with this one, by a
 * file like `cpu/plan-path.ts` in its checkout. Prints one JSON object.
 */
import { execFileSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { round } from './turns/round.ts';

const here = dirname(fileURLToPath(import.meta.url));
const at = process.argv.indexOf('--against');
const other = at < 0 ? undefined : resolve(process.argv[at + 1] ?? '');
const rounds = Number(process.argv.slice(2, at < 0 ? undefined : at)[0] ?? 5);
const files = { here: join(here, 'cpu/plan-path.ts'), ...(other === undefined ? {} : { other }) };

type Figures = Record<string, number>;

/** A new space of 1 GB takes all that the measurement leaves: nothing is collected. */
const hugeNewSpace = ['--min-semi-space-size=1024', '--max-semi-space-size=1024', '--expose-gc'];

function measure(file: string, workload: string, mode: 'planner' | 'parameters' | 'garbage'): Figures {
  const flags = mode === 'garbage' ? hugeNewSpace : ['--expose-gc'];
  return JSON.parse(
    execFileSync(process.execPath, [...flags, '--import', 'tsx', join(here, 'cpu/measure.ts'), file, workload, mode], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
}

/** Each part in a process of its own. Microseconds of CPU and bytes a task. */
function all(file: string, workload: string): Figures {
  const planner = measure(file, workload, 'planner');
  const parameters = measure(file, workload, 'parameters');
  const { bytes = NaN } = measure(file, workload, 'garbage');
  const { us: plannerUs = NaN, gcUs: plannerGcUs = NaN } = planner;
  const { us: parametersUs = NaN, gcUs: parametersGcUs = NaN, chars = NaN } = parameters;
  return {
    plannerUs,
    parametersUs,
    togetherUs: round(plannerUs + parametersUs),
    gcUs: round(plannerGcUs + parametersGcUs),
    bytes,
    chars,
  };
}

interface Spread {
  median: number;
  min: number;
  max: number;
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    median: round(sorted[Math.floor(sorted.length / 2)] ?? NaN),
    min: round(sorted[0] ?? NaN),
    max: round(sorted.at(-1) ?? NaN),
  };
}

function spreads(figures: readonly Figures[]): Record<string, Spread> {
  return Object.fromEntries(
    Object.keys(figures[0] ?? {}).map((name) => [name, spread(figures.map((each) => each[name] ?? NaN))]),
  );
}

const result: Record<string, unknown> = {};
for (const workload of ['plain', 'dag']) {
  const taken: Record<string, Figures[]> = {};
  const ratios: Figures[] = [];
  for (let n = 0; n < rounds; n++) {
    const pair: Record<string, Figures> = {};
    for (const [name, file] of Object.entries(files)) {
      const figures = all(file, workload);
      pair[name] = figures;
      (taken[name] ??= []).push(figures);
    }
    const { here: ours, other: theirs } = pair;
    if (ours !== undefined && theirs !== undefined)
      ratios.push(
        Object.fromEntries(Object.entries(ours).map(([name, value]) => [name, (theirs[name] ?? NaN) / value])),
      );
    process.stderr.write(`${workload}, round ${n + 1}: ${JSON.stringify(pair)}\n`);
  }
  result[workload] = {
    ...Object.fromEntries(Object.entries(taken).map(([name, figures]) => [name, spreads(figures)])),
    ...(ratios.length === 0 ? {} : { otherDividedByHere: spreads(ratios) }),
  };
}
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
