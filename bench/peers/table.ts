/** The figures of all rounds as Markdown. */
import { cpus } from 'node:os';
import type { Contestant } from './contestant.ts';
import type { Figures, Sizes } from './measure.ts';
import type { CpuPerJob } from './round.ts';
import { formatSpread, median } from './statistics.ts';

export interface Results {
  figures: ReadonlyMap<string, readonly Figures[]>;
  failures: ReadonlyMap<string, string>;
  chosen: ReadonlyMap<string, Contestant>;
  /** The name of the one that the others are told in relation to. */
  ours: string;
  /** On which clients, workers and engines ran. */
  node: string;
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
      `${rounds} ${rounds === 1 ? 'round' : 'rounds'} in turn, Node ${results.node}, ${cpus().length} cores, ${new Date().toISOString().slice(0, 10)}.`,
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
      ...(['dag', 'durable'] as const).flatMap((flow) => [
        `A backlog of ${flow === 'dag' ? 'DAGs of three tasks in a row' : 'durable functions of three steps in a row'}; runs a second:`,
        '',
        table(results, [
          { title: 'runs', of: (f) => f.flows[flow]?.jobs, plain: true },
          { title: 'added', of: (f) => f.flows[flow]?.addPerSecond },
          { title: 'drained', of: (f) => f.flows[flow]?.drainPerSecond },
          { title: 'both', of: (f) => f.flows[flow]?.bothPerSecond },
          { title: 'CPU µs a run', of: (f) => f.flows[flow]?.cpu.all },
          { title: 'WAL bytes a run', of: (f) => f.flows[flow]?.walBytes },
          { title: 'transactions a run', of: (f) => f.flows[flow]?.transactions, digits: 3 },
        ]),
        '',
      ]),
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
    if (rounds === undefined || columns.every((column) => known(column, rounds).length === 0)) return [];
    return [[name, ...columns.map((column) => cell(column, rounds, name === ours ? [] : reference))]];
  });
  return [['', ...columns.map(({ title }) => title)], ['---', ...columns.map(() => '---:')], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function cell(column: Column, rounds: readonly Figures[], reference: readonly Figures[]): string {
  const values = known(column, rounds);
  if (values.length === 0) return '–';
  const ofOurs = known(column, reference);
  const ratio =
    column.plain === true || ofOurs.length === 0 ? '' : ` × ${(median(values) / median(ofOurs)).toPrecision(2)}`;
  return `${formatSpread(values, column.digits)}${ratio}`;
}

function known({ of }: Column, rounds: readonly Figures[]): number[] {
  return rounds.map(of).filter((value) => value !== undefined);
}
