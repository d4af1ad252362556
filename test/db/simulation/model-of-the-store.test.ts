import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { TransactionRows } from '../../../engine/model/stored-rows.ts';
import { deleteStaged, insertStaged } from '../../../engine/commit/staged-payloads.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { statementModels } from '../../simulation/store/statements/all-statements.ts';
import { leaseStatements } from '../../simulation/store/statements/lease.ts';
import { randomReads } from './random-reads.ts';
import { RandomRows } from './random-rows.ts';
import { TwinOwner } from './twin-owner.ts';
import { describeModel, describePostgres, TwinStores } from './twin-stores.ts';

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

it('has the columns, keys and references of the schema', async () => {
  expect(describeModel(twins.store).sort()).toEqual((await describePostgres(twins)).sort());
});

it.each(Array.from({ length: 10 }, (_, seed) => seed))(
  'does with random rows what Postgres does: seed %i',
  async (seed) => {
    const random = new RandomRows(seed);
    const owner = await TwinOwner.open(twins, random.tenants);
    await owner.commit(random.definitions());
    for (const round of [random.eachKind(), random.eachKind()])
      for (const rows of round) await owner.commit(rows, { oneByOne: true });
    await owner.commit(new RandomRows(seed).manyRows());
    await twins.compareTables();
    for (let step = 0; step < 20; step++) {
      await twins.pass(random.below(1_000) / 8);
      const rows = random.changes();
      const staged = await stage(owner, random, rows);
      if (random.chance(0.1)) await owner.commit(rows, { epoch: 7 });
      if (random.chance(0.1)) await owner.commit(rows, { end: 'ROLLBACK', staged });
      if (random.chance(0.1)) await owner.commit(rows, { spoil: true });
      await owner.commit(rows, { staged });
      if (random.chance(0.1)) await owner.commit(rows, { staged });
      await twins.compareTables();
      for (const query of random.some(randomReads(random), 20)) twins.send(owner.pool, query);
      await twins.settle();
    }
    for (const query of randomReads(random)) twins.send(owner.pool, query);
    await twins.settle();
  },
);

/** Some of the texts are stored ahead, and some of these are lost again. */
async function stage(owner: TwinOwner, random: RandomRows, rows: TransactionRows): Promise<Map<string, string>> {
  const texts = [
    ...rows.runs.map(({ input }) => input),
    ...rows.results.flatMap(({ output }) => output ?? []),
    ...rows.events.map(({ payload }) => payload),
    ...rows.crons.map(({ input }) => input),
    ...rows.schedules.map(({ input }) => input),
    ...rows.durableResults.flatMap(({ payload }) => payload ?? []),
  ];
  const staged = new Map<string, string>();
  if (!random.chance(0.3)) return staged;
  for (const text of random.some([...new Set(texts)])) {
    const id = newId();
    staged.set(text, id);
    await twins.run(owner.pool, { ...insertStaged, values: [id, text] });
  }
  if (random.chance(0.3)) await twins.run(owner.pool, { ...deleteStaged, values: [[...staged.values()]] });
  return staged;
}

it('was asked every statement, and each has answered or had rows to write', () => {
  const ownership = new Set(leaseStatements.map(({ text }) => text));
  const missing = [...statementModels.keys()].filter(
    (text) => !ownership.has(text) && (twins.answered.get(text) ?? 0) === 0,
  );
  expect(missing).toEqual([]);
});
