/** The budgets, and how each is judged. */
import { formatSpread, median } from '../statistics.ts';
import type { Samples } from './samples.ts';

export const partNames = ['backlog', 'latency', 'flows', 'idle', 'many'] as const;
export type PartName = (typeof partNames)[number];

interface Row {
  part: PartName;
  what: string;
  /** Empty for a figure beside the budgets. */
  budget: string;
  /** The name of its sample. */
  sample: string;
  digits?: number;
  /** The sample that the ratio is to, and its name in the table. */
  to?: { sample: string; name: string };
  /** Of the median: of the ratio where there is one, else of the measured figure. */
  isMet?: (median: number) => boolean;
}

const atLeast = (bound: number) => (value: number) => value >= bound;
const atMost = (bound: number) => (value: number) => value <= bound;
const below = (bound: number) => (value: number) => value < bound;
const graphile = 'graphile-worker';
/** Of graphile-worker on the machine that the budgets of CPU were set on. Elsewhere they stand in the same ratio to it. */
const graphileUs = 72;

const rows: readonly Row[] = [
  ...[
    { name: graphile, bound: 1.1 },
    { name: 'pg-boss', bound: 1.2 },
    { name: 'dbos', bound: 20 },
  ].map(({ name, bound }): Row => ({
    part: 'backlog',
    what: `No-op tasks, enqueued and drained, tasks/s, beside ${name}`,
    budget: `≥ ${bound} × ${name}`,
    sample: 'backlog hatchet-ts',
    to: { sample: `backlog ${name}`, name },
    isMet: atLeast(bound),
  })),
  {
    part: 'backlog',
    what: 'CPU a task, all processes, µs',
    budget: `≤ 110 where ${graphile} needs ${graphileUs}`,
    sample: 'backlog cpu hatchet-ts',
    to: { sample: `backlog cpu ${graphile}`, name: graphile },
    isMet: atMost(110 / graphileUs),
  },
  {
    part: 'backlog',
    what: "of it the engine's process, µs",
    budget: `≤ 40 where ${graphile} needs ${graphileUs} in all`,
    sample: 'backlog engine hatchet-ts',
    digits: 1,
    to: { sample: `backlog cpu ${graphile}`, name: graphile },
    isMet: atMost(40 / graphileUs),
  },
  {
    part: 'backlog',
    what: "of that the event loop's thread, µs",
    budget: '',
    sample: 'backlog loop hatchet-ts',
    digits: 1,
    to: { sample: `backlog cpu ${graphile}`, name: graphile },
  },
  {
    part: 'backlog',
    what: 'WAL a task, bytes',
    budget: '≤ 1,200',
    sample: 'backlog wal hatchet-ts',
    isMet: atMost(1_200),
  },
  {
    part: 'backlog',
    what: 'Transactions a task under load',
    budget: '≤ 0.02',
    sample: 'backlog transactions hatchet-ts',
    digits: 3,
    isMet: atMost(0.02),
  },
  ...(
    [
      ['Trigger to start at 100/s, p50, ms', 'start p50', 2.5],
      ['Trigger to start at 100/s, p99, ms', 'start p99', 8],
      ['Trigger to result at the caller at 100/s, p50, ms', 'result p50', 5],
      ['Trigger to result at the caller at 100/s, p99, ms', 'result p99', 12],
    ] as const
  ).map(([what, sample, bound]): Row => ({
    part: 'latency',
    what,
    budget: `≤ ${bound}`,
    sample,
    digits: 1,
    isMet: atMost(bound),
  })),
  {
    part: 'latency',
    what: "The engine's and Postgres's CPU a task at 100/s, µs",
    budget: '≤ 2.5 × full load',
    sample: 'cpu at 100/s',
    to: { sample: 'cpu at full load', name: 'full load' },
    isMet: atMost(2.5),
  },
  {
    part: 'latency',
    what: "of it the engine's, µs",
    budget: '',
    sample: 'engine at 100/s',
    to: { sample: 'engine at full load', name: 'full load' },
  },
  {
    part: 'flows',
    what: 'DAGs of three steps, enqueued and drained, runs/s',
    budget: '≥ 4,000',
    sample: 'dag hatchet-ts',
    isMet: atLeast(4_000),
  },
  {
    part: 'flows',
    what: 'Durable runs of three steps, enqueued and drained, runs/s',
    budget: '≥ 3,000',
    sample: 'durable hatchet-ts',
    isMet: atLeast(3_000),
  },
  ...['dbos', 'openworkflow', 'absurd'].map((name): Row => ({
    part: 'flows',
    what: `the same beside ${name}`,
    budget: '',
    sample: 'durable hatchet-ts',
    to: { sample: `durable ${name}`, name },
  })),
  {
    part: 'idle',
    what: 'Idle: statements/s',
    budget: '< 1',
    sample: 'idle statements',
    digits: 2,
    isMet: below(1),
  },
  {
    part: 'idle',
    what: "Idle: the engine's CPU, % of a core",
    budget: '< 0.5',
    sample: 'idle cpu',
    digits: 2,
    isMet: below(0.5),
  },
  {
    part: 'idle',
    what: "Idle: its Postgres's CPU, % of a core",
    budget: '',
    sample: 'idle postgres cpu',
    digits: 2,
  },
  {
    part: 'idle',
    what: "Idle: the engine's resident memory, MB",
    budget: '≤ 100',
    sample: 'idle memory',
    isMet: atMost(100),
  },
  ...(
    [
      ['1,000 tenants', 'one of each', 'one tenant'],
      ['100 workers', 'one of each', 'one worker'],
      ['10,000 keys', '1 key', 'one key'],
    ] as const
  ).flatMap(([many, one, name]): Row[] => [
    {
      part: 'many',
      what: `${many}, tasks/s`,
      budget: `≥ 0.8 × ${name}`,
      sample: many,
      to: { sample: one, name },
      isMet: atLeast(0.8),
    },
    {
      part: 'many',
      what: "the engine's CPU a task then, µs",
      budget: '',
      sample: `engine with ${many}`,
      to: { sample: `engine with ${one}`, name },
    },
  ]),
];

/** Of the parts that were measured, as Markdown. */
export function budgetTable(samples: Samples, parts: readonly PartName[]): string {
  return [
    ['', 'budget', 'measured', 'ratio', 'met'],
    ['---', '---', '---:', '---:', '---'],
    ...rows.filter(({ part }) => parts.includes(part)).map((row) => cells(row, samples)),
  ]
    .map((line) => `| ${line.join(' | ')} |`)
    .join('\n');
}

function cells({ what, budget, sample, digits = 0, to, isMet }: Row, samples: Samples): string[] {
  const measured = samples.of(sample);
  const ratios = to === undefined ? [] : samples.ratios(sample, to.sample);
  const judged = to === undefined ? measured : ratios;
  const verdict = judged.length === 0 ? 'not measured' : isMet?.(median(judged)) === true ? 'yes' : 'no';
  return [
    what,
    budget,
    formatSpread(measured, digits),
    to === undefined ? '' : `${formatSpread(ratios, 2)} × ${to.name} (${formatSpread(samples.of(to.sample), digits)})`,
    isMet === undefined ? '' : verdict,
  ];
}
