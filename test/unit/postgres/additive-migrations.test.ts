import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { migrationFiles, migrationsFolder } from '../../../engine/postgres/schema/migration-files.ts';
import { notAdditive } from '../../helpers/additive-migration.ts';
import { packageRoot } from '../../helpers/engine-process.ts';

/** From here on engines of two releases serve side by side. */
const lastBefore = '0024_queued_seq';

const migration = (up: string): string => `-- Up Migration\n${up};\n-- Down Migration\nDROP TABLE x;\n`;

describe('a migration beside engines of the release before', () => {
  it('only adds', () => {
    const later = migrationFiles(migrationsFolder()).filter(({ name }) => name > lastBefore);
    for (const { name } of later)
      expect([name, notAdditive(readFileSync(join(migrationsFolder(), `${name}.sql`), 'utf8'))]).toEqual([name, []]);
  });

  it.each([
    'CREATE TABLE later (id uuid PRIMARY KEY, tenant_id uuid NOT NULL)',
    'CREATE INDEX later_id ON later (id)',
    'ALTER TABLE run ADD COLUMN later bigint',
    'ALTER TABLE run ADD COLUMN later bigint, ADD COLUMN more numeric(3, 1) NOT NULL DEFAULT 7',
    'ALTER TABLE live SET (fillfactor = 45)',
    "-- why\nINSERT INTO later (id) SELECT id FROM run WHERE input <> ''",
  ])('may %s', (up) => expect(notAdditive(migration(up))).toEqual([]));

  it.each([
    'DROP TABLE run',
    'DROP INDEX run_by_tenant',
    'ALTER TABLE run DROP COLUMN input',
    'ALTER TABLE run RENAME COLUMN input TO payload',
    'ALTER TABLE run RENAME TO runs',
    'ALTER TABLE run ALTER COLUMN priority TYPE bigint',
    'ALTER TABLE run ALTER COLUMN input SET NOT NULL',
    'ALTER TABLE run ADD COLUMN later bigint NOT NULL',
    'ALTER TABLE run ADD COLUMN later bigint UNIQUE',
    'ALTER TABLE run ADD COLUMN later bigint, DROP COLUMN input',
    'ALTER TABLE run ADD CONSTRAINT positive CHECK (priority > 0)',
    'CREATE UNIQUE INDEX one_name ON workflow (name)',
    'CREATE TRIGGER t BEFORE INSERT ON run FOR EACH ROW EXECUTE FUNCTION f()',
    'DELETE FROM run',
    'TRUNCATE run',
  ])('may not %s', (up) => expect(notAdditive(migration(up))).toHaveLength(1));
});

it('statements name the columns that they write: a column that was added gets its default', () => {
  const sources = readdirSync(join(packageRoot, 'engine'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(join(packageRoot, 'engine', path), 'utf8'));
  const written = sources.flatMap((text) => [
    ...text.matchAll(/\b(?:INSERT INTO|COPY) (?<table>[a-z_]+)(?: AS \w+)? ?(?<next>.)/gs),
  ]);
  // Those that go by COPY are made of a list of their columns (`copyInto`).
  expect(written.length).toBeGreaterThan(20);
  expect(written.filter(({ groups }) => groups?.['next'] !== '(').map(([found]) => found)).toEqual([]);
});
