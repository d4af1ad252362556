/** Tasks that do nothing, enqueued and drained, ours and others in turn. */
import { measureBacklog } from '../measure.ts';
import { inTurn } from '../session.ts';
import type { PartContext } from './part.ts';

const contestants = ['hatchet-ts', 'graphile-worker', 'pg-boss', 'dbos'];

export async function backlog(context: PartContext): Promise<void> {
  const { samples, sizes, cleanup, node } = context;
  for (const name of inTurn(contestants, context.round))
    await context.attempt(`backlog of ${name}`, async () => {
      const contestant = await context.contestant(name);
      const measured = await measureBacklog({ name, contestant, node }, sizes, cleanup);
      samples.set(`backlog ${name}`, measured.bothPerSecond);
      samples.set(`backlog cpu ${name}`, measured.cpu.all);
      samples.set(`backlog engine ${name}`, measured.cpu.engine);
      samples.set(`backlog loop ${name}`, measured.cpu.engineLoop);
      samples.set(`backlog wal ${name}`, measured.walBytes);
      samples.set(`backlog transactions ${name}`, measured.transactions);
    });
}
