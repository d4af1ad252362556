/** What `bench:peers` measures of a contestant in a round. */
import type { Cleanup } from './cleanup.ts';
import { plainShape, type Contestant, type Flow } from './contestant.ts';
import { withRound, type CountedBacklog, type InFlight } from './round.ts';

export interface Sizes {
  /** Of the backlog, and of the jobs that go through with some in flight. */
  jobs: number;
  /** Before those in flight are counted. */
  warmUp: number;
  /** Jobs of the backlog before the one that is counted: as many, so that each contestant's code is compiled by then. */
  backlogBefore: number;
  inFlight: number;
  /** Jobs at the low rate, and the time between two. */
  paced: number;
  everyMs: number;
}

export const fullSizes: Sizes = {
  jobs: 20_000,
  warmUp: 2_000,
  backlogBefore: 20_000,
  inFlight: 500,
  paced: 1_000,
  everyMs: 10,
};
export const quickSizes: Sizes = {
  jobs: 4_000,
  warmUp: 1_000,
  backlogBefore: 4_000,
  inFlight: 500,
  paced: 300,
  everyMs: 10,
};

export interface Figures {
  backlog: CountedBacklog;
  /** The place of a job is free again once its handler is entered. */
  entered: InFlight;
  /** The place of a job is free again once its caller has the result. */
  result: InFlight | undefined;
  startMs: { p50: number; p99: number };
  /** Of three steps one after the other. */
  flows: Partial<Record<Flow, CountedBacklog>>;
}

/** Of a flow with as many steps one after the other. */
export const threeSteps: readonly number[] = [1, 1, 1];

export interface Measured {
  name: string;
  contestant: Contestant;
  node: string;
}

export async function measure(measured: Measured, sizes: Sizes, cleanup: Cleanup): Promise<Figures> {
  const { contestant } = measured;
  const { inFlight, everyMs } = sizes;
  const figures = await withRound({ ...measured, shape: plainShape }, cleanup, async (round) => {
    await round.drain(share(contestant, 'backlog', sizes.backlogBefore));
    const backlog = await round.backlog(share(contestant, 'backlog', sizes.jobs));
    const few = { inFlight, ...counts(contestant, 'inFlight', sizes) };
    const entered = await round.inFlight({ until: 'entered', ...few });
    const result = await round.inFlight({ until: 'result', ...few });
    const paced = { everyMs, warmUp: Math.round(sizes.paced / 5), count: sizes.paced };
    const start = await round.paced({ until: 'entered', ...paced });
    if (entered === undefined || start === undefined) throw new Error('a client cannot add single jobs');
    return { backlog, entered, result, startMs: start.startMs };
  });
  const flows: Figures['flows'] = {};
  for (const flow of contestant.flows ?? []) flows[flow] = await measureFlow(measured, flow, sizes, cleanup);
  return { ...figures, flows };
}

/** A backlog of jobs of three steps, after a warm-up. */
export function measureFlow(measured: Measured, flow: Flow, sizes: Sizes, cleanup: Cleanup): Promise<CountedBacklog> {
  const { contestant } = measured;
  return withRound({ ...measured, shape: { ...plainShape, flow, steps: threeSteps } }, cleanup, async (round) => {
    await round.drain(share(contestant, 'backlog', sizes.backlogBefore));
    return round.backlog(share(contestant, 'backlog', sizes.jobs));
  });
}

/** Jobs that do nothing, after a warm-up. */
export function measureBacklog(measured: Measured, sizes: Sizes, cleanup: Cleanup): Promise<CountedBacklog> {
  return measureFlow(measured, 'noop', sizes, cleanup);
}

function share({ share }: Contestant, load: 'backlog' | 'inFlight', count: number): number {
  return Math.round(count * (share?.[load] ?? 1));
}

function counts(contestant: Contestant, load: 'backlog' | 'inFlight', sizes: Sizes): { warmUp: number; count: number } {
  return { warmUp: share(contestant, load, sizes.warmUp), count: share(contestant, load, sizes.jobs) };
}
