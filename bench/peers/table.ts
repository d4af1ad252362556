/** The figures of all rounds as Markdown. */
import { cpus } from 'node:os';
import type { Contestant } from './contestant.ts';
import type { CpuPerJob, Figures, Sizes } from './measure.ts';

export interface Results {
  figures: ReadonlyMap<string, readonly Figures[]>;
  failures: ReadonlyMap<string, string>;
  chosen: ReadonlyMap<string, Contestant>;
  /** The name of the one that the others are told in relation to. */
  ours: string;
  sizes: Sizes;
  rounds: number;
}

interface Column {
  title: string;
  of: (figures: Figures) => number | undefined;
  digits?: number;
  /** Without a ratio to ours. */
  plain?: boolean;
}

const cpuColumns = (of: (figures: Figures) => CpuPerJob | undefined): Column[] => [
  { title: 'client', of: (f) => of(f)?.client, plain: true },
  { title: 'worker', of: (f) => of(f)?.worker, plain: true },
  { title: 'engine', of: (f) => of(f)?.engine, plain: true },
  { title: 'store', of: (f) => of(f)?.store, plain: true },
  { title: 'all', of: (f) => of(f)?.all },
];

export function printTables(results: Results): void {
  const { sizes, rounds, chosen, figures, failures } = results;
  console.log(
    [
      `${rounds} ${rounds === 1 ? 'round' : 'rounds'} in turn, Node ${process.versions.node}, ${cpus().length} cores, ${new Date().toISOString().slice(0, 10)}.`,
      'Median (lowest–highest) × ratio to ours, of the medians.',
      '',
      `A backlog of jobs is added in bulk, then drained by one worker; jobs a second:`,
      '',
      table(results, [
        { title: 'jobs', of: (f) => f.backlog.jobs, plain: true },
        { title: 'added', of: (f) => f.backlog.addPerSecond },
        { title: 'drained', of: (f) => f.backlog.drainPerSecond },
        { title: 'both', of: (f) => f.backlog.bothPerSecond },
        { title: 'WAL bytes a job', of: (f) => f.backlog.walBytes },
        { title: 'transactions a job', of: (f) => f.backlog.transactions, digits: 3 },
      ]),
      '',
      'CPU for it, µs a job:',
      '',
      table(
        results,
        cpuColumns((f) => f.backlog.cpu),
      ),
      '',
      `${sizes.inFlight} in flight, until the handler is entered; CPU in µs a job:`,
      '',
      table(results, [
        { title: 'jobs', of: (f) => f.entered.jobs, plain: true },
        { title: 'jobs/s', of: (f) => f.entered.perSecond },
        ...cpuColumns((f) => f.entered.cpu),
      ]),
      '',
      `${sizes.inFlight} in flight, until the caller has the result; CPU in µs a job:`,
      '',
      table(results, [
        { title: 'jobs', of: (f) => f.result?.jobs, plain: true },
        { title: 'jobs/s', of: (f) => f.result?.perSecond },
        ...cpuColumns((f) => f.result?.cpu),
      ]),
      '',
      `A job each ${sizes.everyMs} ms, from the call that adds it until its handler is entered, ms:`,
      '',
      table(results, [
        { title: 'p50', of: (f) => f.startMs.p50, digits: 1 },
        { title: 'p99', of: (f) => f.startMs.p99, digits: 1 },
      ]),
      '',
      ...[...chosen]
        .filter(([name]) => figures.has(name))
        .map(([name, one]) => `- ${name}: ${one.version}; ${one.settings}.`),
      ...[...failures].map(([name, why]) => `- ${name} could not be measured: ${why.split('\n')[0]}`),
    ].join('\n'),
  );
}

function table(results: Results, columns: readonly Column[]): string {
  const { figures, ours } = results;
  const reference = figures.get(ours) ?? [];
  const rows = [...results.chosen.keys()].flatMap((name) => {
    const rounds = figures.get(name);
    if (rounds === undefined) return [];
    return [[name, ...columns.map((column) => cell(column, rounds, name === ours ? [] : reference))]];
  });
  return [['', ...columns.map(({ title }) => title)], ['---', ...columns.map(() => '---:')], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function cell(column: Column, rounds: readonly Figures[], reference: readonly Figures[]): string {
  const values = known(column, rounds);
  const [low, high] = [values[0], values.at(-1)];
  if (low === undefined || high === undefined) return '–';
  const format = (value: number): string => {
    const digits = column.digits ?? 0;
    return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  };
  const middle = median(values);
  const spread = low === high ? '' : ` (${format(low)}–${format(high)})`;
  const ofOurs = known(column, reference);
  const ratio = column.plain === true || ofOurs.length === 0 ? '' : ` × ${(middle / median(ofOurs)).toPrecision(2)}`;
  return `${format(middle)}${spread}${ratio}`;
}

/** In ascending order. */
function known({ of }: Column, rounds: readonly Figures[]): number[] {
  return rounds
    .map(of)
    .filter((value) => value !== undefined)
    .sort((a, b) => a - b);
}

function median(ascending: readonly number[]): number {
  const half = ascending.length / 2;
  const upper = ascending[Math.floor(half)] ?? Number.NaN;
  return Number.isInteger(half) ? ((ascending[half - 1] ?? Number.NaN) + upper) / 2 : upper;
}
