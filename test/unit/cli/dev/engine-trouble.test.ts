import { expect, it } from 'vitest';
import { engineTrouble } from '../../../../cli/dev/trouble/engine-trouble.ts';

const own = { isEmbedded: true, dataDir: '/home/me/app/.hatchet' };
const line = (code: string): string =>
  JSON.stringify({ level: 40, time: '2026-01-01T00:00:00.000Z', code, msg: 'something' });

it("knows what the engine's log says of Postgres, with a remedy for the one that it is", () => {
  expect(engineTrouble(line('POSTGRES_LOST'), own)).toEqual({
    text: 'Postgres is gone; the engine starts it again',
    remedy: expect.stringContaining('/home/me/app/.hatchet/postgres.log'),
  });
  expect(engineTrouble(line('POSTGRES_LOST'), { ...own, isEmbedded: false })).toEqual({
    text: 'Postgres cannot be reached; the engine tries on',
    remedy: expect.stringContaining('DATABASE_URL'),
  });
  expect(engineTrouble(line('DISK_FULL'), own)).toEqual({
    text: expect.stringContaining('the disk of Postgres is full'),
    remedy: expect.stringContaining('Free some space'),
  });
  expect(engineTrouble(line('POSTGRES_BACK'), own)).toBe('over');
});

it('passes by every other line', () => {
  for (const other of [
    '',
    'no JSON "code":"',
    '"code":"POSTGRES_LOST"',
    line('STATEMENT_REFUSED'),
    JSON.stringify({ msg: 'POSTGRES_LOST' }),
  ])
    expect(engineTrouble(other, own)).toBeUndefined();
});
