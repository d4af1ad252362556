import { inspect } from 'node:util';
import { Client, DatabaseError } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { textField } from '../../../engine/commit/copy-lines.ts';
import { postgresConnector, type SqlClient } from '../../../engine/postgres/sql-client.ts';
import type { TransactionAnswer, TransactionStatement } from '../../../engine/postgres/transaction-query.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';

const database = databaseFixture();
let client: Client;
let lane: SqlClient;

beforeAll(async () => {
  client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query('CREATE TABLE copied (id integer PRIMARY KEY, value text)');
});

beforeEach(async () => {
  await client.query('TRUNCATE copied');
  // As the lane has it.
  lane = postgresConnector.client({ connectionString: database.url, pipeline: true });
  await lane.connect();
  return () => lane.end();
});

afterAll(() => client.end());

const copying = (lines: string): TransactionStatement => ({ text: 'COPY copied (id, value) FROM STDIN', lines });
const inserting = (id: string, value: string): TransactionStatement => ({
  name: 'insert_copied',
  text: 'INSERT INTO copied VALUES ($1, $2)',
  values: [id, value],
});
const dividing = (by: string): TransactionStatement => ({
  name: 'divide',
  text: 'SELECT 1 / $1::integer',
  values: [by],
});

function stateOf({ failure, ...answer }: TransactionAnswer): object {
  return { ...answer, failure: failure instanceof DatabaseError ? failure.code : failure };
}

async function stored(): Promise<(string | null)[]> {
  const { rows } = await client.query<{ value: string | null }>('SELECT value FROM copied ORDER BY id');
  return rows.map(({ value }) => value);
}

it('stores every text as it is', async () => {
  const texts = [
    '',
    'plain',
    '\\',
    '\\N',
    '\\.',
    'a\tb\nc\r\nd',
    '{"a":"\\"\\n\\u0001"}',
    '\u0001\b\f\v',
    'ü€😀',
    null,
  ];
  const lines = texts.map((each, n) => `${n}\t${textField(each)}\n`).join('');
  expect(await lane.transaction([copying(lines)])).toEqual({ done: 1, failure: undefined, end: undefined });
  expect(await stored()).toEqual(texts);
});

it('carries out all, with lines of more than one packet among them, and again with what it has prepared', async () => {
  const long = 'ü'.repeat(5_000_000);
  const all = [dividing('1'), copying(`1\t${long}\n`), inserting('2', 'more')];
  expect(await lane.transaction(all)).toEqual({ done: 3, failure: undefined, end: 'COMMIT' });
  expect(await lane.transaction([inserting('3', 'a'), copying('4\tb\n')])).toMatchObject({ done: 2, end: 'COMMIT' });
  expect(await stored()).toEqual([long, 'more', 'a', 'b']);
});

it.each([
  ['a key that is there twice', '1\ta\n1\tb\n', '23505'],
  ['a line that is too short', '1\n', '22P04'],
  ['a text that is no number', 'x\ta\n', '22P02'],
  ['a character that Postgres has no text for', '1\ta\0b\n', '22021'],
])('is taken back whole for %s, and the connection goes on', async (_, lines, sqlstate) => {
  const refused = await lane.transaction([inserting('9', 'first'), copying(lines), copying('3\tc\n')]);
  expect(stateOf(refused)).toEqual({ done: 1, failure: sqlstate, end: undefined });
  expect(stateOf(await lane.transaction([copying(lines)]))).toEqual({ done: 0, failure: sqlstate, end: undefined });
  expect(await stored()).toEqual([]);
  expect(await lane.transaction([inserting('3', 'c'), copying('4\td\n')])).toMatchObject({ done: 2, end: 'COMMIT' });
  expect(await stored()).toEqual(['c', 'd']);
});

it('passes over what stands behind a refused statement, which may be prepared later', async () => {
  const refused = [copying('1\ta\n'), dividing('0'), inserting('2', 'b'), copying('3\tc\n')];
  expect(stateOf(await lane.transaction(refused))).toEqual({ done: 1, failure: '22012', end: undefined });
  expect(await stored()).toEqual([]);
  expect(await lane.transaction([dividing('1'), inserting('2', 'b')])).toMatchObject({ done: 2, end: 'COMMIT' });
  expect(await stored()).toEqual(['b']);
});

it('has one whose statement cannot be prepared refused, each time', async () => {
  const wrong: TransactionStatement = { name: 'wrong', text: 'INSERT INTO nowhere VALUES ($1)', values: ['1'] };
  for (const _ of [1, 2])
    expect(stateOf(await lane.transaction([inserting('1', 'a'), wrong]))).toEqual({
      done: 1,
      failure: '42P01',
      end: undefined,
    });
  expect(await lane.transaction([inserting('1', 'a')])).toMatchObject({ done: 1, failure: undefined });
});

it('is refused at its end, where a constraint waits for that', async () => {
  await client.query('CREATE TABLE late (id integer REFERENCES copied DEFERRABLE INITIALLY DEFERRED)');
  const late: TransactionStatement = { name: 'insert_late', text: 'INSERT INTO late VALUES ($1)', values: ['7'] };
  const refused = await lane.transaction([inserting('1', 'a'), late]);
  expect(stateOf(refused)).toEqual({ done: 2, failure: '23503', end: undefined });
  expect(await stored()).toEqual([]);
  await client.query('DROP TABLE late');
});

it('is refused without a word of the line', async () => {
  const { failure } = await lane.transaction([copying(`1\tsecret\ttoo much\n`)]);
  expect(failure).toBeInstanceOf(DatabaseError);
  expect(inspect(failure)).not.toContain('secret');
});

it('is answered in one piece', async () => {
  await lane.transaction([inserting('1', 'a'), dividing('1')]);
  const statements = Array.from({ length: 10 }, (_, n) => inserting(String(n + 2), 'a'));
  const connection = lane instanceof Client ? lane.connection : undefined;
  let pieces = 0;
  connection?.stream.on('data', () => pieces++);
  await lane.transaction([...statements, dividing('1')]);
  expect(pieces).toBe(1);
});

it('fails with its connection', async () => {
  lane.on('error', () => undefined);
  await client.query('BEGIN; LOCK TABLE copied IN ACCESS EXCLUSIVE MODE');
  const answer = lane.transaction([copying('1\ta\n'), inserting('2', 'b')]);
  lane.cut();
  const { failure, ...rest } = await answer;
  expect(failure?.message).toMatch(/terminated/);
  expect(rest).toEqual({ done: 0, end: undefined });
  await client.query('ROLLBACK');
});
