import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Client } from 'pg';
import { beforeAll, expect, it } from 'vitest';
import { postgresConnector } from '../../../engine/postgres/sql-client.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';

const folder = join(import.meta.dirname, '..', '..', '..', 'engine', 'commit', 'statements');
const database = databaseFixture();
let client: Client;

interface Prepared {
  name: string;
  text: string;
  values: (...args: unknown[]) => string[];
}

interface Copied {
  name: string;
  text: string;
  lines: (rows: readonly never[]) => string;
}

function isCopy(value: unknown): value is Copied {
  return typeof value === 'object' && value !== null && 'lines' in value && typeof value.lines === 'function';
}

function isStatement(value: unknown): value is Prepared {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    'text' in value &&
    'values' in value &&
    typeof value.values === 'function'
  );
}

beforeAll(() => void ({ client } = database));

it('every statement of a batch can be prepared, with as many parameters as it gives values', async () => {
  const statements: Prepared[] = [];
  const copies: Copied[] = [];
  for (const file of readdirSync(folder)) {
    const exported: unknown = await import(pathToFileURL(join(folder, file)).href);
    const found = Object.values(Object(exported)).filter(isStatement);
    const copied = Object.values(Object(exported)).filter(isCopy);
    expect(found.length + copied.length, file).toBeGreaterThan(0);
    statements.push(...found);
    copies.push(...copied);
  }
  const names = [...statements, ...copies].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const lane = postgresConnector.client({ connectionString: database.url });
  await lane.connect();
  expect(await lane.transaction(copies.map(({ text, lines }) => ({ text, lines: lines([]) })))).toEqual({
    done: copies.length,
    failure: undefined,
    end: 'COMMIT',
  });
  await lane.end();
  for (const statement of statements) {
    await client.query(`PREPARE ${client.escapeIdentifier(statement.name)} AS ${statement.text}`);
    const { rows } = await client.query<{ n: number }>(
      'SELECT cardinality(parameter_types) AS n FROM pg_prepared_statements WHERE name = $1',
      [statement.name],
    );
    expect(rows[0]?.n, statement.name).toBe(statement.values([], 1).length);
  }
});
