import { inspect } from 'node:util';
import { Client, DatabaseError } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { textField } from '../../../engine/commit/copy-lines.ts';
import { copyOn, postgresConnector } from '../../../engine/postgres/sql-client.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';

const database = databaseFixture();
let client: Client;

beforeAll(async () => {
  // As the lane has it.
  client = new Client({ connectionString: database.url, pipeline: true });
  await client.connect();
  await client.query('CREATE TABLE copied (id integer PRIMARY KEY, value text)');
});

beforeEach(() => client.query('TRUNCATE copied'));
afterAll(() => client.end());

const text = 'COPY copied (id, value) FROM STDIN';

/** What a statement answers, or why it was refused. */
async function outcome(answer: Promise<{ command: string; rowCount: number | null }>): Promise<string> {
  try {
    const { command, rowCount } = await answer;
    return `${command} ${rowCount}`;
  } catch (error) {
    if (error instanceof DatabaseError) return error.code ?? '';
    throw error;
  }
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
  expect(await copyOn(client, { text, lines: texts.map((each, n) => `${n}\t${textField(each)}\n`).join('') })).toEqual({
    command: 'COPY',
    rowCount: texts.length,
    rows: [],
  });
  expect(await stored()).toEqual(texts);
});

it('takes lines of more than one packet among other statements', async () => {
  const long = 'ü'.repeat(5_000_000);
  const answers = [
    outcome(client.query('BEGIN')),
    outcome(copyOn(client, { text, lines: `1\t${long}\n` })),
    outcome(client.query({ name: 'more', text: 'INSERT INTO copied VALUES ($1, $2)', values: [2, 'more'] })),
    outcome(client.query('COMMIT')),
  ];
  expect(await Promise.all(answers)).toEqual(['BEGIN null', 'COPY 1', 'INSERT 1', 'COMMIT null']);
  expect(await stored()).toEqual([long, 'more']);
});

it.each([
  ['a key that is there twice', '1\ta\n1\tb\n', '23505'],
  ['a line that is too short', '1\n', '22P04'],
  ['a text that is no number', 'x\ta\n', '22P02'],
  ['a character that Postgres has no text for', '1\ta\0b\n', '22021'],
])('is refused with its transaction for %s, and the connection goes on', async (_, lines, sqlstate) => {
  const answers = [
    outcome(client.query('BEGIN')),
    outcome(copyOn(client, { text, lines })),
    outcome(copyOn(client, { text, lines: '3\tc\n' })),
    outcome(client.query('COMMIT')),
  ];
  expect(await Promise.all(answers)).toEqual(['BEGIN null', sqlstate, '25P02', 'ROLLBACK null']);
  expect(await outcome(copyOn(client, { text, lines: '3\tc\n' }))).toBe('COPY 1');
  expect(await stored()).toEqual(['c']);
});

it('is refused without a word of the line', async () => {
  const refused = await copyOn(client, { text, lines: `1\tsecret\ttoo much\n` }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(DatabaseError);
  expect(inspect(refused)).not.toContain('secret');
});

it('that stands behind a refused statement is passed over with its lines', async () => {
  const answers = [
    outcome(client.query('BEGIN')),
    outcome(client.query('SELECT 1 / 0')),
    outcome(copyOn(client, { text, lines: '1\ta\n' })),
    outcome(client.query('COMMIT')),
  ];
  expect(await Promise.all(answers)).toEqual(['BEGIN null', '22012', '25P02', 'ROLLBACK null']);
  expect(await stored()).toEqual([]);
});

it('fails with its connection', async () => {
  const other = postgresConnector.client({ connectionString: database.url, pipeline: true });
  other.on('error', () => undefined);
  await other.connect();
  await client.query('BEGIN; LOCK TABLE copied IN ACCESS EXCLUSIVE MODE');
  const answer = other.copy({ text, lines: '1\ta\n' });
  other.cut();
  await expect(answer).rejects.toThrow(/terminated/);
  await client.query('ROLLBACK');
});
