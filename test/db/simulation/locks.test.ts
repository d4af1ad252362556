import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { plainArray } from '../../../engine/commit/array-literal.ts';
import { assertShards } from '../../../engine/commit/statements/assert-shards.ts';
import { deleteLive } from '../../../engine/commit/statements/delete-live.ts';
import { insertTasks } from '../../../engine/commit/statements/insert-tasks.ts';
import { updateSticky } from '../../../engine/commit/statements/update-sticky.ts';
import { insertDurableEntries, insertDurableListens } from '../../../engine/commit/statements/write-durable.ts';
import { deleteWaits, writeWaits } from '../../../engine/commit/statements/write-waits.ts';
import { insertLive } from '../../../engine/commit/statements/insert-live.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import type { SqlQuery } from '../../../engine/postgres/sql-client.ts';
import { readPage } from '../../../engine/shard/facts/long-durable-logs.ts';
import { lockOwned, raiseEpoch } from '../../../engine/shard/ownership/fate-of-lost-commit.ts';
import { acquireFree } from '../../../engine/shard/ownership/acquire-shards.ts';
import { RandomRows } from './random-rows.ts';
import { TwinStores, type TwinSession, type TwinQuery } from './twin-stores.ts';
import { tenantOf } from '../../helpers/tenant.ts';

let twins: TwinStores;
const owner = newId();
/** Of rows that are fought over. */
const ids = Array.from({ length: 3 }, (_, n) => `${owner.slice(0, 13)}-7000-8000-00000000000${n}`);

beforeAll(async () => {
  twins = await TwinStores.open();
});

beforeEach(async () => {
  await twins.reset();
});

afterAll(async () => {
  await twins.close();
});

/** A statement on one row, and the place of that row in the order in which sessions touch rows: so they never wait for each other in a circle. */
interface Step {
  rank: number;
  query: TwinQuery;
}

const liveLine = (id: string): string =>
  `${[id, id, id, id, ...Array.from({ length: 11 }, () => 1), '\\N', '\\N', '\\N', 1].join('\t')}\n`;

function randomStep(random: RandomRows): Step {
  const n = random.below(ids.length);
  const id = ids[n] ?? '';
  const one = plainArray([id]);
  const named = ({ name, text }: { name: string; text: string }, values: unknown[]): SqlQuery => ({
    name,
    text,
    values,
  });
  const last = [...twins.store.tables.shard.committed()].find((row) => row.id === n);
  return random.pick<() => Step>([
    () => ({
      rank: n,
      query: named(
        assertShards,
        assertShards.values(
          [{ id: n, epoch: last?.epoch ?? 0, lastTransaction: last?.last_batch ?? 0, seq: random.seq(), lostUs: 0 }],
          (last?.last_batch ?? 0) + 1,
        ),
      ),
    }),
    () => ({ rank: 2, query: { text: lockOwned.text, values: [owner, [n, 2]] } }),
    () => ({ rank: n, query: { text: raiseEpoch.text, values: [owner, [n]] } }),
    // Never waits.
    () => ({ rank: 0, query: named(acquireFree, [owner, [0, 1, 2], [], 0]) }),
    () => ({
      rank: 10 + n,
      query: named(
        writeWaits,
        writeWaits.values(
          [{ taskId: id, tenantId: tenantOf(id), sinceUs: 0, sinceSeq: random.seq(), resolved: '[]' }],
          new Map(),
        ),
      ),
    }),
    () => ({ rank: 10 + n, query: named(deleteWaits, [one]) }),
    () => ({ rank: 20 + n, query: { ...insertTasks, lines: `${id}\t${id}\t0\n` } }),
    () => ({ rank: 30 + n, query: { ...insertLive, lines: liveLine(id) } }),
    () => ({ rank: 30 + n, query: named(deleteLive, [one]) }),
    () => ({ rank: 30 + n, query: named(updateSticky, [one, plainArray([newId()])]) }),
    () => ({
      rank: 40 + n,
      query: named(
        insertDurableListens,
        insertDurableListens.values(
          [
            {
              taskId: id,
              branch: 1,
              node: 1,
              condition: 0,
              tenantId: tenantOf(id),
              eventKey: 'k',
              scope: '',
              guard: '0',
              expression: '',
              seq: 0,
            },
          ],
          new Map(),
        ),
      ),
    }),
  ])();
}

it.each(Array.from({ length: 6 }, (_, seed) => seed))(
  'has sessions wait for each other as Postgres does: seed %i',
  async (seed) => {
    const random = new RandomRows(seed);
    const sessions = await Promise.all(
      [0, 1, 2].map(async () => ({ session: await twins.session(), isOpen: false, rank: 0 })),
    );
    const [first] = sessions;
    if (first !== undefined) await twins.run(first.session, { ...acquireFree, values: [owner, [0, 1, 2], [], 0] });
    let waits = 0;
    for (let step = 0; step < 80; step++) {
      const each = random.pick(sessions);
      if (twins.isWaiting(each.session)) continue;
      const isAnyWaiting = sessions.some(({ session }) => twins.isWaiting(session));
      if (each.isOpen && (isAnyWaiting || random.chance(0.3))) {
        await twins.run(each.session, random.chance(0.7) ? 'COMMIT' : 'ROLLBACK');
        Object.assign(each, { isOpen: false, rank: 0 });
        await twins.compareTables();
      } else if (!each.isOpen && !isAnyWaiting && random.chance(0.7)) {
        await twins.run(each.session, 'BEGIN');
        each.isOpen = true;
      } else if (!isAnyWaiting) {
        const { rank, query } = randomStep(random);
        if (rank < each.rank && query.text !== acquireFree.text) continue;
        await twins.run(each.session, query);
        if (each.isOpen) each.rank = Math.max(rank, each.rank);
        if (twins.isWaiting(each.session)) waits++;
      }
    }
    for (const each of sessions.sort((a) => (twins.isWaiting(a.session) ? 1 : -1)))
      await twins.run(each.session, 'COMMIT');
    await twins.compareTables();
    expect(waits).toBeGreaterThan(0);
  },
);

function moving(n: number, epoch: number): SqlQuery {
  const { name, text } = assertShards;
  return { name, text, values: assertShards.values([{ id: n, epoch, lastTransaction: 0, seq: 1, lostUs: 0 }], 1) };
}

/** Two sessions, of which the first holds shard 1. */
async function contend(): Promise<[TwinSession, TwinSession]> {
  const [holder, other] = [await twins.session(), await twins.session()];
  await twins.run(holder, { ...acquireFree, values: [owner, [1, 2], [], 0] });
  await twins.run(holder, 'BEGIN');
  await twins.run(holder, moving(1, 1));
  return [holder, other];
}

it('gives up waiting for a lock, or a statement, in time', async () => {
  const [holder, other] = await contend();
  await twins.run(other, `SET lock_timeout = '50ms'`);
  for (const message of ['BEGIN', moving(1, 1), 'SELECT 1', 'COMMIT']) {
    twins.send(other, message);
    await twins.settle({ afterMs: 60 });
  }
  await twins.run(other, `SET lock_timeout = '0'`);
  await twins.run(other, `SET statement_timeout = '50ms'`);
  twins.send(other, moving(1, 1));
  await twins.settle({ afterMs: 60 });
  await twins.run(holder, 'COMMIT');
  await twins.run(other, moving(1, 1));
  await twins.compareTables();
  expect([...twins.refused.keys()]).toEqual(expect.arrayContaining(['55P03', '25P02', '57014', '22012']));
});

it('lets one of two fail that wait for each other: the one that looks for it', async () => {
  const [holder, other] = await contend();
  await twins.run(holder, `SET deadlock_timeout = '10min'`);
  await twins.run(other, `SET deadlock_timeout = '50ms'`);
  await twins.run(other, 'BEGIN');
  await twins.run(other, moving(2, 1));
  await twins.run(holder, moving(2, 1));
  expect(twins.isWaiting(holder)).toBe(true);
  twins.send(other, moving(1, 1));
  await twins.settle({ afterMs: 60 });
  expect(twins.refused.get('40P01')).toBe(1);
  await twins.run(other, 'COMMIT');
  await twins.run(holder, 'COMMIT');
  await twins.compareTables();
});

it('ends a session that leaves a transaction open', async () => {
  const [holder, other] = await contend();
  await twins.run(holder, 'ROLLBACK');
  await twins.run(holder, `SET idle_in_transaction_session_timeout = '80ms'`);
  await twins.run(holder, 'BEGIN');
  await twins.run(holder, moving(1, 1));
  await twins.run(other, moving(1, 1));
  expect(twins.isWaiting(other)).toBe(true);
  await twins.settle({ afterMs: 100 });
  expect(twins.isWaiting(other)).toBe(false);
  await twins.run(holder, 'SELECT 1');
  await twins.compareTables();
});

it('reads what was there when a repeatable read began', async () => {
  const [reader, writer] = [await twins.session(), await twins.session()];
  const [taskId = ''] = ids;
  const insert = (node: number): SqlQuery => {
    const { name, text } = insertDurableEntries;
    const row = { taskId, branch: 1, node, kind: 1 as const, fingerprint: '', asked: '', invocation: 1, seq: node };
    return { name, text, values: insertDurableEntries.values([{ ...row, childRunId: null }], new Map()) };
  };
  await twins.run(writer, insert(1));
  await twins.run(reader, 'BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
  await twins.run(reader, readPage, [taskId, -1, -1, 10]);
  await twins.run(writer, insert(2));
  await twins.run(reader, readPage, [taskId, -1, -1, 10]);
  await twins.run(reader, 'COMMIT');
  await twins.run(reader, readPage, [taskId, -1, -1, 10]);
  expect(twins.answered.get(readPage)).toBe(2);
});
