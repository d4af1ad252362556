/** A curve: what is measured along a line of values, as pictures are drawn of it. */
import type { Cleanup } from '../cleanup.ts';
import { plainShape, type Contestant, type Shape } from '../contestant.ts';
import { ours } from '../contestants.ts';
import { withRound, type CpuPerJob, type Round } from '../round.ts';

export interface Point {
  x: number;
  /** One of each round. */
  values: readonly number[];
}

export interface Line {
  name: string;
  points: readonly Point[];
}

/** Lines with one axis, which begins at zero. */
export interface Panel {
  title: string;
  lines: readonly Line[];
}

export interface Curve {
  /** Of its file, and for `--only`. */
  name: string;
  title: string;
  xTitle: string;
  /** Default: values stand at equal distances, since each is a multiple of the one before. */
  isLinear?: boolean;
  measure(context: CurveContext): Promise<Panel[]>;
}

export interface CurveContext {
  rounds: number;
  /** Jobs of a measurement whose jobs are small. */
  jobs: number;
  warmUp: number;
  inFlight: number;
  /** Whether the backlog goes up to 1,000,000. */
  million: boolean;
  /** Rows of the longest history. */
  historyRows: number;
  /** Of the curve over time. */
  minutes: number;
  node: string;
  contestant: Contestant;
  cleanup: Cleanup;
  /** All of them, or only the first and the last where the run is quick. */
  values: (all: readonly number[]) => readonly number[];
  /** What cannot be measured leaves a gap. */
  attempt: (what: string, work: () => Promise<void>) => Promise<void>;
}

type Readings = Readonly<Record<string, number | undefined>>;

/** Each value in each round, another one first, with engines and processes of its own. */
export async function sweep(
  context: CurveContext,
  all: readonly number[],
  shapeAt: (x: number) => Partial<Shape>,
  measureAt: (round: Round, x: number) => Promise<Readings>,
): Promise<Map<string, Line>> {
  const xs = context.values(all);
  const read = new Map<string, Map<number, number[]>>();
  for (let round = 0; round < context.rounds; round++)
    for (const n of xs.keys()) {
      const x = xs[(n + round) % xs.length] ?? 0;
      await context.attempt(`round ${round + 1} of ${context.rounds}: ${x}`, async () => {
        const readings = await withOurs(context, shapeAt(x), (one) => measureAt(one, x));
        for (const [name, value] of Object.entries(readings)) {
          if (value === undefined) continue;
          const line = read.get(name) ?? new Map<number, number[]>();
          read.set(name, line.set(x, [...(line.get(x) ?? []), value]));
        }
      });
    }
  return new Map(
    [...read].map(([name, line]) => [
      name,
      { name, points: xs.flatMap((x) => ({ x, values: line.get(x) ?? [] })).filter(({ values }) => values.length > 0) },
    ]),
  );
}

export function withOurs<T>(
  context: CurveContext,
  shape: Partial<Shape>,
  work: (round: Round) => Promise<T>,
): Promise<T> {
  const { contestant, node, cleanup } = context;
  return withRound({ name: ours, contestant, shape: { ...plainShape, ...shape }, node }, cleanup, work);
}

/** Those that were read. */
export function panel(title: string, lines: ReadonlyMap<string, Line>, names: readonly string[]): Panel {
  return { title, lines: names.flatMap((name) => lines.get(name) ?? []) };
}

export const cpuNames = ['client', 'worker', 'engine', 'Postgres'] as const;

/** @param per what the figures are told for, where that is not a job */
export function cpuReadings(cpu: CpuPerJob | undefined, per = 1): Readings {
  const [client, worker, engine, postgres] = cpuNames;
  return {
    [client]: cpu && cpu.client / per,
    [worker]: cpu && cpu.worker / per,
    [engine]: cpu?.engine && cpu.engine / per,
    [postgres]: cpu && cpu.store / per,
  };
}

/** With some in flight until their results: a rate, and the CPU of a task. */
export async function inFlightPanels(
  context: CurveContext,
  all: readonly number[],
  shapeAt: (x: number) => Partial<Shape>,
): Promise<Panel[]> {
  const { inFlight, warmUp, jobs } = context;
  const lines = await sweep(context, all, shapeAt, async (round) => {
    const measured = await round.inFlight({ until: 'result', inFlight, warmUp, count: jobs });
    return { 'tasks/s': measured?.perSecond, ...cpuReadings(measured?.cpu) };
  });
  return [panel('tasks a second', lines, ['tasks/s']), panel('CPU a task, µs', lines, cpuNames)];
}

/** A backlog of runs, each of so many parts: the rate of parts, and the CPU of one. */
export async function partsPanels(
  context: CurveContext,
  all: readonly number[],
  shapeAt: (x: number) => Partial<Shape>,
  partsAt: (x: number) => number,
  part: { one: string; many: string },
): Promise<Panel[]> {
  const lines = await sweep(context, all, shapeAt, async (round, x) => {
    const parts = partsAt(x);
    const runs = Math.max(fewestRuns, Math.round(context.jobs / parts));
    await round.drain(Math.max(fewestRuns / 2, Math.round(context.warmUp / parts)));
    const { addPerSecond, drainPerSecond, cpu } = await round.drain(runs);
    return { added: addPerSecond * parts, drained: drainPerSecond * parts, ...cpuReadings(cpu, parts) };
  });
  return [
    panel(`${part.many} a second, of runs that are added in bulk, then drained`, lines, ['added', 'drained']),
    panel(`CPU a ${part.one}, µs`, lines, cpuNames),
  ];
}

/** However long a run is. */
const fewestRuns = 100;
