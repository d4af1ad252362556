import { pino } from 'pino';
import { expect, it } from 'vitest';
import { PostgresTroubleLog } from '../../../engine/shard/postgres-trouble-log.ts';

function log(): { trouble: PostgresTroubleLog; codes: () => unknown[] } {
  const lines: { code?: string }[] = [];
  const trouble = new PostgresTroubleLog(
    pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
  );
  return { trouble, codes: () => lines.map(({ code }) => code ?? null) };
}

it('says what is the matter with Postgres, and once that it is over', () => {
  const { trouble, codes } = log();
  trouble.over();
  trouble.refused(new Error('could not extend file: No space left on device'), '53100');
  trouble.over();
  trouble.over();
  trouble.lost(new Error('Connection terminated'), 'the connection to Postgres was lost');
  trouble.lost(new Error('ECONNREFUSED'), 'Postgres cannot be reached; trying again');
  trouble.over();
  expect(codes()).toEqual(['DISK_FULL', 'POSTGRES_BACK', 'POSTGRES_LOST', 'POSTGRES_LOST', 'POSTGRES_BACK']);
});

it('takes a refusal that another try cures for no trouble', () => {
  const { trouble, codes } = log();
  trouble.refused(new Error('could not serialize access'), '40001');
  trouble.over();
  expect(codes()).toEqual([null]);
});
