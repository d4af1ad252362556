import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  createRecord,
  parseRecord,
  readRecord,
  recordPath,
  writeRecord,
} from '../../../engine/postgres/embedded/pgdata-record.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'hatchet-record-'));
});
afterEach(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

test('a folder inside the data folder is stored relative, another absolute', () => {
  for (const [folder, stored] of [
    [join(dataDir, 'postgres'), 'postgres'],
    ['/var/lib/elsewhere/postgres', '/var/lib/elsewhere/postgres'],
  ] as const) {
    const cluster = { folder, password: 'p', port: 5 };
    writeRecord(dataDir, cluster);
    expect(JSON.parse(readFileSync(recordPath(dataDir), 'utf8'))).toMatchObject({ folder: stored });
    expect(parseRecord(readFileSync(recordPath(dataDir), 'utf8'), dataDir)).toEqual(cluster);
    expect(statSync(recordPath(dataDir)).mode & 0o777).toBe(0o600);
  }
});

test('of two that make the record, the second goes on with the first one’s', () => {
  const first = { folder: join(dataDir, 'postgres'), password: 'first', port: 0 };
  expect(createRecord(dataDir, first)).toEqual(first);
  expect(createRecord(dataDir, { ...first, password: 'second' })).toEqual(first);
});

test('a record that names a cluster outside of what engines make is refused', () => {
  writeRecord(dataDir, { folder: join(dataDir, 'postgres'), password: 'p', port: 5 });
  expect(readRecord(dataDir)).toMatchObject({ folder: join(dataDir, 'postgres') });
  writeRecord(dataDir, { folder: join(dirname(dataDir), 'postgres'), password: 'p', port: 5 });
  expect(() => readRecord(dataDir)).toThrow(expect.objectContaining({ code: 'DATA_DIR_UNUSABLE' }));
});

test('what is no record', () => {
  for (const text of [
    '',
    '{',
    'null',
    '7',
    '{}',
    '{"folder":"x","password":"y"}',
    '{"folder":1,"password":"y","port":1}',
  ])
    expect(parseRecord(text, dataDir)).toBeUndefined();
  expect(readRecord(dataDir)).toBeUndefined();
});
