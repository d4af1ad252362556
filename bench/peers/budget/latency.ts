/** A task each 10 ms: when it starts, when its caller has the result, and what it costs against full load. */
import { plainShape } from '../contestant.ts';
import { ours } from '../contestants.ts';
import { withRound, type CpuPerJob } from '../round.ts';
import type { PartContext } from './part.ts';

export async function latency(context: PartContext): Promise<void> {
  const { samples, sizes, cleanup, node } = context;
  const contestant = await context.contestant(ours);
  await withRound({ name: ours, contestant, shape: plainShape, node }, cleanup, async (round) => {
    const { inFlight, warmUp, jobs, everyMs } = sizes;
    const full = await round.inFlight({ until: 'result', inFlight, warmUp, count: jobs });
    const paced = { everyMs, warmUp: Math.round(sizes.paced / 5), count: sizes.paced };
    const start = await round.paced({ until: 'entered', ...paced });
    const result = await round.paced({ until: 'result', ...paced });
    samples.set('start p50', start?.startMs.p50);
    samples.set('start p99', start?.startMs.p99);
    samples.set('result p50', result?.resultMs?.p50);
    samples.set('result p99', result?.resultMs?.p99);
    samples.set('cpu at 100/s', withoutPrograms(result?.cpu));
    samples.set('cpu at full load', withoutPrograms(full?.cpu));
    samples.set('engine at 100/s', result?.cpu.engine);
    samples.set('engine at full load', full?.cpu.engine);
  });
}

/** The engine's and Postgres's. */
function withoutPrograms(cpu: CpuPerJob | undefined): number | undefined {
  return cpu?.engine === undefined ? undefined : cpu.engine + cpu.store;
}
