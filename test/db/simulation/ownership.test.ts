import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { readBackend } from '../../../engine/commit/lane.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import type { SqlQuery } from '../../../engine/postgres/sql-client.ts';
import * as lease from '../../../engine/shard/ownership/process-lease.ts';
import * as ownedShards from '../../../engine/shard/ownership/owned-shards.ts';
import * as replica from '../../../engine/shard/ownership/replica-record.ts';
import * as channel from '../../../engine/shard/ownership/shards-channel.ts';
import * as settling from '../../../engine/shard/ownership/fate-of-lost-commit.ts';
import * as take from '../../../engine/shard/ownership/acquire-shards.ts';
import { leaseStatements } from '../../simulation/store/statements/lease.ts';
import { RandomRows } from './random-rows.ts';
import { TwinStores } from './twin-stores.ts';

let twins: TwinStores;

beforeAll(async () => {
  twins = await TwinStores.open();
});

beforeEach(async () => {
  await twins.reset();
});

afterAll(async () => {
  await twins.close();
});

const most = 6;

function ownershipStatement(random: RandomRows, owners: readonly string[]): SqlQuery {
  const owner = random.pick(owners);
  const ids = random.some(Array.from({ length: most }, (_, id) => id));
  const numbers = ids.map(() => random.below(4));
  const named = (statement: { name: string; text: string }, ...values: unknown[]): SqlQuery => ({
    ...statement,
    values,
  });
  return random.pick<() => SqlQuery>([
    () => named(lease.renew, owner),
    () => named(replica.writeReplica, owner, random.pick(['a:1', 'b:2']), 'c:3', random.pick([null, 'pem'])),
    () => named(replica.dropReplica, owner),
    () => named(take.acquireFree, owner, ids, random.some(owners), random.pick([0, 30_000_000])),
    () => named(take.acquireFree, owner, ids, [], 0),
    () =>
      named(
        ownedShards.serve,
        owner,
        ids,
        numbers,
        ids.map(() => random.below(1_000_000)),
      ),
    () => named(ownedShards.readOwned, owner, ids),
    () => named(ownedShards.giveBack, owner, ids),
    () => named(lease.forgetOwners, random.pick([owner, null])),
    () => named(channel.tellOfShards, owner),
    () => ({ text: settling.lockOwned.text, values: [owner, ids] }),
    () => ({ text: settling.raiseEpoch.text, values: [owner, ids] }),
  ])();
}

it.each([0, 1, 2, 3])('gives, keeps and takes shards as Postgres does: seed %i', async (seed) => {
  const random = new RandomRows(seed);
  // Two of three owners are connected; the third is only in the tables.
  const owners = [newId(), newId(), newId()];
  const sessions = [
    await twins.session({ application_name: `hatchet lane ${owners[0]}` }),
    await twins.session({ application_name: `hatchet lease ${owners[1]}` }),
  ];
  for (let step = 0; step < 60; step++) {
    await twins.pass(random.pick([0, 0.001, 500, 2_000, 6_000, 4_000_000]));
    await twins.run(random.pick(sessions), ownershipStatement(random, owners));
    await twins.compareTables();
  }
});

it('serves what was acquired, by its epoch', async () => {
  const owner = newId();
  const session = await twins.session({ application_name: `hatchet lane ${owner}` });
  await twins.run(session, { ...take.acquireFree, values: [owner, [1, 2], [], 0] });
  await twins.run(session, { ...ownedShards.serve, values: [owner, [1, 2, 3], [1, 7, 1], [5, 5, 5]] });
  await twins.compareTables();
});

it('ends the backend of a lane, and what it had open', async () => {
  const owner = newId();
  const lane = await twins.session({ application_name: `hatchet lane ${owner}` });
  const other = await twins.session();
  await twins.run(lane, { ...take.acquireFree, values: [owner, [1], [], 0] });
  await twins.run(lane, readBackend);
  await twins.run(lane, 'BEGIN');
  await twins.run(lane, settling.raiseEpoch.text, [owner, [1]]);
  const backend = await backendOf(lane.pid);
  const [modelled] = twins.store
    .connections()
    .filter(({ applicationName }) => applicationName.startsWith('hatchet lane'));
  await twins.run(other, {
    text: settling.terminateBackend.text,
    values: [lane.pid, backend],
    modelValues: [modelled?.pid, modelledStart(modelled?.startUs ?? 0)],
  });
  await twins.compareTables();
  await twins.run(lane, 'SELECT 1');
  await twins.run(other, settling.raiseEpoch.text, [owner, [1]]);
  await twins.compareTables();
});

function modelledStart(us: number): string {
  return `${new Date(us / 1000).toISOString().replace('T', ' ').slice(0, 19)}.${String(us % 1_000_000).padStart(6, '0')}+00`;
}

async function backendOf(pid: number): Promise<string | undefined> {
  const { rows } = await twins.admin.query<{ start: string }>(
    'SELECT backend_start::text AS start FROM pg_stat_activity WHERE pid = $1',
    [pid],
  );
  return rows[0]?.start;
}

it('was asked every statement about ownership, and each has answered or changed something', () => {
  // Those without parameters are asked with the random reads.
  const missing = leaseStatements
    .map(({ text }) => text)
    .filter((text) => text.includes('$1') && (twins.answered.get(text) ?? 0) === 0);
  expect(missing).toEqual([]);
});
