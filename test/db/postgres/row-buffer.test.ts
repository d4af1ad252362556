import type { Pool } from 'pg';
import { beforeAll, expect, it } from 'vitest';
import { RowBuffer } from '../../../engine/postgres/row-buffer.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';

const database = databaseFixture({ from: 'empty' });
let pool: Pool;

beforeAll(async () => {
  ({ pool } = database);
  await pool.query('CREATE TABLE kept (n integer NOT NULL)');
});

it('a row that Postgres refuses fails alone: those beside it are stored, each once', async () => {
  const statements: number[] = [];
  const buffer = new RowBuffer<number>({
    what: 'numbers',
    batchRows: 100,
    mostRows: 1000,
    mostWeight: 1_000_000,
    weightOf: () => 1,
    store: async (rows) => {
      statements.push(rows.length);
      await pool.query('INSERT INTO kept (n) SELECT n FROM unnest($1::bigint[]) AS u (n)', [rows]);
    },
  });
  const poison = new Set([3, 40, 41]);
  const settled = await Promise.allSettled(
    Array.from({ length: 64 }, (_, n) => buffer.write(poison.has(n) ? 2 ** 40 : n)),
  );
  await buffer.stop();
  expect(settled.flatMap((each, n) => (each.status === 'rejected' ? [n] : []))).toEqual([...poison]);
  const { rows } = await pool.query<{ n: number }>('SELECT n FROM kept ORDER BY n');
  expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: 64 }, (_, n) => n).filter((n) => !poison.has(n)));
  // Halving: far fewer statements than rows.
  expect(statements.length).toBeLessThan(40);
});

it('rows that come together are settled together: which failed is known by their places', async () => {
  const buffer = new RowBuffer<number>({
    what: 'numbers',
    batchRows: 3,
    mostRows: 1000,
    mostWeight: 1_000_000,
    weightOf: () => 1,
    store: async (rows) => {
      await pool.query('INSERT INTO kept (n) SELECT n FROM unnest($1::bigint[]) AS u (n)', [rows]);
    },
  });
  const given = [101, 2 ** 40, 102, 103, 104, 2 ** 40];
  const both = [buffer.writeEach(given), buffer.writeEach([]), buffer.writeEach([105])];
  const [failed, none, other] = await Promise.all(both);
  expect([...(failed ?? [])].map(([place, error]) => [place, error.code])).toEqual([
    [1, 'COMMAND_FAILED'],
    [5, 'COMMAND_FAILED'],
  ]);
  expect([none, other]).toEqual([new Map(), new Map()]);
  await expect(buffer.writeAll([106, 2 ** 40])).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
  const { rows } = await pool.query<{ n: number }>('SELECT n FROM kept WHERE n > 100 ORDER BY n');
  expect(rows.map(({ n }) => n)).toEqual([101, 102, 103, 104, 105, 106]);
});

it('rows that nobody waits for gather, until their time is over, they fill a statement, or somebody waits for one', async () => {
  const statements: number[][] = [];
  const fill = (gatherMs: number): RowBuffer<number> =>
    new RowBuffer<number>({
      what: 'numbers',
      batchRows: 3,
      mostRows: 1000,
      mostWeight: 1_000_000,
      weightOf: () => 1,
      gatherMs,
      store: async (rows) => void statements.push([...rows]),
    });
  const slow = fill(600_000);
  const first = [slow.writeLater(1), slow.writeLater(2), slow.write(3)];
  await Promise.all(first);
  const second = [4, 5, 6].map((n) => slow.writeLater(n));
  await Promise.all(second);
  const last = slow.writeLater(7);
  await slow.stop();
  await last;
  expect(statements).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
  const quick = fill(1);
  await Promise.all([quick.writeLater(8), quick.writeLater(9)]);
  expect(statements.at(-1)).toEqual([8, 9]);
});
