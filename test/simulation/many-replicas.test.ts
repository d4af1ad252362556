import { expect, it } from 'vitest';
import { shardCount } from '../../engine/model/ids/shard-of.ts';
import { ManyReplicas } from './many-replicas.ts';

/** A lease lasts so long. */
const leaseMs = 5_000;

it.each([10, 50, 200])(
  '%i engines share the shards, whoever joins, dies, stands still or is replaced',
  async (count) => {
    const replicas = new ManyReplicas(count);
    replicas.join(count, 5_000);
    const joined = await replicas.settle();
    expect(Math.max(...replicas.shares)).toBeLessThanOrEqual(Math.ceil(shardCount / count));
    const idle = await replicas.idle(30_000);
    // The lease, each 1.5 s.
    expect(idle).toBeLessThan(1);
    expect(replicas.odd).toEqual([]);

    replicas.kill(Math.floor(count / 3));
    const killed = await replicas.settle();
    expect(killed.servedMs).toBeLessThan(3 * leaseMs);

    replicas.stall(Math.floor(replicas.count / 4), 12_000);
    await replicas.idle(20_000);
    const stalled = await replicas.settle();
    await replicas.idle(5_000);
    expect(replicas.odd).toEqual([]);

    replicas.join(count - replicas.count, 5_000);
    const back = await replicas.settle();
    expect(stalled.moved + back.moved).toBeLessThanOrEqual(shardCount);
    expect(replicas.odd).toEqual([]);
    console.log(
      `${count} engines: served ${joined.servedMs} ms and even ${joined.evenMs} ms after the first, ` +
        `${idle.toFixed(2)} statements a second each, served ${killed.servedMs} ms after a third was killed, ` +
        `even ${back.evenMs} ms after as many joined`,
    );
  },
);

it('engines that are replaced one after the other leave no shard alone for longer than between two looks', async () => {
  const replicas = new ManyReplicas(1);
  replicas.join(10, 2_000);
  await replicas.settle();
  const longestMs = await replicas.roll();
  console.log(`ten were replaced: no shard was without one for longer than ${longestMs} ms`);
  // Without notifications, as behind a pooler: others look each 1.5 s.
  expect(longestMs).toBeLessThan(2_000);
  expect(replicas.odd).toEqual([]);
});
