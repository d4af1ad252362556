/** Runs of three steps, enqueued and drained: as DAGs, and as durable functions beside others' in turn. */
import { measureFlow } from '../measure.ts';
import { inTurn } from '../session.ts';
import type { PartContext } from './part.ts';

const runs = [
  { flow: 'dag', name: 'hatchet-ts' },
  { flow: 'durable', name: 'hatchet-ts' },
  { flow: 'durable', name: 'dbos' },
  { flow: 'durable', name: 'openworkflow' },
  { flow: 'durable', name: 'absurd' },
] as const;

export async function flows(context: PartContext): Promise<void> {
  const { samples, sizes, cleanup, node } = context;
  for (const { flow, name } of inTurn(runs, context.round))
    await context.attempt(`${flow} of ${name}`, async () => {
      const contestant = await context.contestant(name);
      const measured = await measureFlow({ name, contestant, node }, flow, sizes, cleanup);
      samples.set(`${flow} ${name}`, measured.bothPerSecond);
      samples.set(`${flow} drain ${name}`, measured.drainPerSecond);
    });
}
