import { plainWorkflow } from '../../../engine/model/definition.ts';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faults } from '../../../engine/base/faults.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { CuttingProxy } from '../../helpers/cutting-proxy.ts';
import { forgiveFaults } from '../../helpers/no-faults.ts';
import { liveRows, OwnerWorld } from '../../helpers/owner-world.ts';
import { randomFrom } from '../../helpers/random.ts';
import { RivalOwner } from '../../helpers/rival-owner.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';
import { valueAt } from '../../helpers/row-of.ts';
import type { TenantId } from '../../../engine/model/ids/tenant-id.ts';
import { newestEndOf } from '../../../engine/postgres/rows-of-a-run.ts';

const database = databaseFixture();
let client: Client;

beforeAll(() => void ({ client } = database));

async function count(what: 'run' | 'result' | 'end', tenantId: TenantId): Promise<number> {
  const texts = {
    run: 'SELECT count(*)::integer AS n FROM run WHERE tenant_id = $1',
    result: 'SELECT count(*)::integer AS n FROM result x JOIN run r ON r.id = x.task_id WHERE r.tenant_id = $1',
    end: `SELECT count(*)::integer AS n FROM run r JOIN LATERAL ${newestEndOf('r.id')} n ON n.status <> 0 WHERE r.tenant_id = $1`,
  };
  return (await client.query<{ n: number }>(texts[what], [tenantId])).rows[0]?.n ?? -1;
}

describe('ambiguous commits', () => {
  it('finds out what became of 100 batches whose answer was lost', async () => {
    const seed = Number(process.env['SEED'] ?? 20_261_124);
    const random = randomFrom(seed);
    const { proxy, url } = await CuttingProxy.start(database.url);
    const world = await OwnerWorld.start(url);
    try {
      await world.put();
      await world.register(100_000);
      const expected: string[] = [];
      const open: string[] = [];
      const kinds = { before: 0, after: 0 };
      for (let i = 0; i < 100; i++) {
        const cut = random() < 0.5 ? 'before' : 'after';
        kinds[cut]++;
        proxy.arm(cut);
        const triggers = Array.from({ length: 1 + Math.floor(random() * 20) }, () => world.trigger());
        const finished = open.splice(0, Math.floor(random() * open.length));
        const reports = finished.map((taskId) => world.complete(taskId));
        const runIds = await Promise.all(triggers); // every caller gets the true answer: it happened
        await Promise.all(reports);
        expected.push(...runIds);
        open.push(...runIds);
      }
      await Promise.all(open.map((taskId) => world.complete(taskId)));
      const results = await count('result', world.tenantId);
      process.stdout.write(
        `ambiguous commits: seed ${seed}, cut before COMMIT ${kinds.before}, after ${kinds.after}, cuts made ${proxy.cuts}, runs ${expected.length}, results ${results}\n`,
      );
      expect(proxy.cuts).toBe(100);
      expect(await count('run', world.tenantId)).toBe(expected.length);
      expect(results).toBe(expected.length);
      expect(await count('end', world.tenantId)).toBe(expected.length);
      expect(world.memory()).toEqual([]);
      expect(await liveRows(client, world.tenantId)).toEqual([]);
      // No effect was lost or doubled.
      const dispatched = world.effects.flatMap((effect) => (effect.kind === 'dispatch' ? [effect.taskId] : []));
      expect(dispatched.sort()).toEqual(expected.sort());
      const ended = world.effects.flatMap((effect) => (effect.kind === 'runEnded' ? [effect.runId] : []));
      expect(ended.sort()).toEqual(expected);
    } finally {
      await world.owner.stop();
      await proxy.stop();
    }
  }, 120_000);
});

describe('an answer', () => {
  it('and every effect wait for the commit', async () => {
    const { proxy, url } = await CuttingProxy.start(database.url);
    const world = await OwnerWorld.start(url);
    try {
      await world.put();
      await world.register();
      proxy.hold();
      let answered = false;
      const trigger = world.trigger().then(() => {
        answered = true;
      });
      await expect.poll(() => proxy.isHolding).toBe(true);
      // Turns of the event loop in which an early answer would have come.
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      expect(answered).toBe(false);
      expect(world.effects.filter((effect) => effect.kind === 'dispatch')).toEqual([]);
      expect(world.history).toEqual([]);
      proxy.release();
      await trigger;
      expect(world.effects.filter((effect) => effect.kind === 'dispatch')).toHaveLength(1);
    } finally {
      await world.owner.stop();
      await proxy.stop();
    }
  });
});

describe('a poison command', () => {
  const before = { ...faults };
  // Both tests feed it past the edge.
  afterAll(() => forgiveFaults(before));

  it('fails alone, while its batch-mates commit', async () => {
    const world = await OwnerWorld.start(database.url);
    try {
      await world.put();
      // NUL cannot be stored. The edge refuses it; here it goes past the edge.
      const triggers = Array.from({ length: 50 }, (_, i) => world.trigger(i === 17 ? { input: '"\0"' } : {}));
      const settled = await Promise.allSettled(triggers);
      const refused = settled.flatMap((answer, i) =>
        answer.status === 'rejected' ? [[i, String(answer.reason)]] : [],
      );
      expect(refused).toHaveLength(1);
      expect(refused[0]?.[0]).toBe(17);
      expect(refused[0]?.[1]).toContain('Postgres refused trigger');
      expect(await count('run', world.tenantId)).toBe(49);
      expect(world.memory()).toEqual(await liveRows(client, world.tenantId));
    } finally {
      await world.owner.stop();
    }
  });

  it('an unstorable definition leaves nothing behind', async () => {
    const world = await OwnerWorld.start(database.url);
    try {
      await expect(
        world.owner.submit({
          kind: 'putWorkflow',
          tenantId: world.tenantId,
          definition: {
            name: 'bad',
            description: '\0',
            defaultPriority: 1,
            inputJsonSchema: null,
            steps: [],
            ...plainWorkflow,
          },
          checksum: 'x',
          workflowId: newId(),
          versionId: newId(),
          filterIds: [],
          crons: [],
        }),
      ).rejects.toThrow('Postgres refused putWorkflow');
      expect(world.owner.stateOf(world.tenantId)?.latestVersion(world.tenantId, 'bad')).toBeUndefined();
      await world.put();
      await world.trigger();
    } finally {
      await world.owner.stop();
    }
  });
});

describe('ownership', () => {
  it('fences an owner whose shards were taken', async () => {
    const first = await OwnerWorld.start(database.url);
    await first.put();
    await first.trigger();
    const rival = await RivalOwner.connect(database.url);
    await rival.take();
    const before = await count('run', first.tenantId);
    const late = first.trigger();
    late.catch(() => undefined);
    await expect.poll(() => [...first.owner.states].length).toBe(0);
    expect(await count('run', first.tenantId)).toBe(before);
    // Once the other is gone, the command that waited is carried out.
    await rival.leave();
    await late;
    expect(await count('run', first.tenantId)).toBe(before + 1);
    await first.owner.stop();
  });

  it('is taken over at once when the owner is gone, and memory equals live', async () => {
    const first = await OwnerWorld.start(database.url);
    await first.put(2);
    const workerId = await first.register(20);
    const runs = await Promise.all(Array.from({ length: 60 }, () => first.trigger()));
    await first.owner.submit({
      kind: 'started',
      tenantId: first.tenantId,
      taskId: runs[0] ?? '',
      attempt: 0,
    });
    await first.complete(runs[1] ?? '');
    await first.owner.submit({
      kind: 'failed',
      tenantId: first.tenantId,
      taskId: runs[2] ?? '',
      attempt: 0,
      error: 'x',
      mayRetry: true,
    });
    await first.owner.submit({ kind: 'cancel', tenantId: first.tenantId, ids: [runs[3] ?? ''] });
    const memory = first.memory();
    expect(await liveRows(client, first.tenantId)).toEqual(memory);
    await first.owner.stop();
    const second = await OwnerWorld.start(database.url, { tenantId: first.tenantId });
    expect(second.memory()).toEqual(memory);
    const worker = second.owner.stateOf(second.tenantId)?.workersById.get(workerId);
    expect(worker?.used.get('default')).toBe(20);
    // What the first engine assigned can still be reported, and the freed slots go on in order.
    await second.present(workerId);
    await Promise.all(runs.slice(4, 10).map((runId) => second.complete(runId)));
    expect(second.effects.filter((effect) => effect.kind === 'dispatch').length).toBeGreaterThan(0);
    expect(await liveRows(client, second.tenantId)).toEqual(second.memory());
    await second.owner.stop();
  });

  it('does not count the time without an owner against a deadline', async () => {
    const first = await OwnerWorld.start(database.url);
    await first.put();
    await first.register(1);
    const running = await first.trigger();
    const waiting = await first.trigger();
    const dueOf = (world: OwnerWorld, taskId: string): number => {
      const tasks = world.owner.stateOf(world.tenantId)?.tasks;
      return valueAt(tasks?.dueUs, tasks?.find(taskId)) ?? 0;
    };
    const before = [dueOf(first, running), dueOf(first, waiting)];
    await first.owner.stop();
    const minutes = 20;
    await client.query(`UPDATE shard SET absent_since = absent_since - make_interval(mins => $1)`, [minutes]);
    const second = await OwnerWorld.start(database.url, { tenantId: first.tenantId });
    const shifts = [dueOf(second, running), dueOf(second, waiting)].map(
      (due, i) => (due - (before[i] ?? 0)) / 1_000_000,
    );
    for (const shift of shifts) {
      expect(shift).toBeGreaterThanOrEqual(minutes * 60 + 30); // and 30 s of grace
      expect(shift).toBeLessThan(minutes * 60 + 60);
    }
    // What is stored has not moved: a second restart adds only its own time.
    const due = dueOf(second, running);
    await second.owner.stop();
    const third = await OwnerWorld.start(database.url, { tenantId: first.tenantId });
    expect((dueOf(third, running) - due) / 1_000_000).toBeLessThan(60);
    expect(await liveRows(client, third.tenantId)).toEqual(third.memory());
    await third.owner.stop();
  });

  it('runs a repeated trigger with the same id once', async () => {
    const world = await OwnerWorld.start(database.url);
    await world.put();
    await world.register();
    const runId = newId();
    await Promise.all([world.trigger({ runId }), world.trigger({ runId })]);
    await world.complete(runId);
    await world.trigger({ runId });
    expect(await count('run', world.tenantId)).toBe(1);
    expect(await count('result', world.tenantId)).toBe(1);
    await world.owner.stop();
  });
});
