import { afterEach, expect, it, vi } from 'vitest';
import { HatchetError } from '../../../engine/base/errors.ts';
import { JobPayloads } from '../../../engine/shard/job-payloads.ts';
import { Mailbox } from '../../../engine/shard/mailbox.ts';
import { tenantOf } from '../../helpers/tenant.ts';

afterEach(() => vi.useRealTimers());

it('refuses what has waited for half a minute, of which a standstill of the process is no part', () => {
  vi.useFakeTimers();
  let awakeMs = 1_000;
  const refused: string[] = [];
  const mailbox = new Mailbox({ isServed: () => false, isElsewhere: () => false }, () => awakeMs);
  const command = { kind: 'completed', tenantId: tenantOf('t'), taskId: 'a', attempt: 0, output: '{}' } as const;
  mailbox.add({
    shard: 0,
    tenantId: tenantOf('t'),
    command,
    payloads: new JobPayloads(command),
    rows: 1,
    queuedAtMs: awakeMs,
    mayBeDone: false,
    isFateUnknown: false,
    longLogs: [],
    run: () => () => undefined,
    reject: (error) => refused.push(error instanceof HatchetError ? error.code : error.message),
  });
  awakeMs += 10_000;
  vi.advanceTimersByTime(46_000); // the process was stopped for 36 s of them
  mailbox.expire();
  expect([refused, mailbox.size]).toEqual([[], 1]);
  awakeMs += 21_000;
  vi.advanceTimersByTime(21_000);
  expect([refused, mailbox.size]).toEqual([['NOT_OWNER'], 0]);
});
