import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HatchetError } from '../../../engine/base/errors.ts';
import { isMovedAway } from '../../../engine/base/not-owner.ts';
import { JobPayloads } from '../../../engine/shard/job-payloads.ts';
import type { Job } from '../../../engine/shard/job.ts';
import { Mailbox } from '../../../engine/shard/mailbox.ts';
import { noTenant, type TenantId } from '../../../engine/model/ids/tenant-id.ts';
import { tenantOf } from '../../helpers/tenant.ts';

let served: Set<number>;
let mailbox: Mailbox;
let refused: string[];
let elsewhere: Set<number>;

beforeEach(() => {
  vi.useFakeTimers();
  served = new Set([1, 2]);
  refused = [];
  elsewhere = new Set();
  mailbox = new Mailbox({ isServed: (shard) => served.has(shard), isElsewhere: (shard) => elsewhere.has(shard) });
});

afterEach(() => void vi.useRealTimers());

function job(name: string, shard: number, tenantId?: TenantId): Job {
  const command = { kind: 'workerAnswered', tenantId: tenantId ?? noTenant, workerId: name } as const;
  return {
    shard,
    tenantId,
    command,
    payloads: new JobPayloads(command),
    rows: 1,
    queuedAtMs: performance.now(),
    mayBeDone: false,
    isFateUnknown: false,
    longLogs: [],
    run: () => () => undefined,
    reject: (error) => void refused.push(`${name} ${error instanceof HatchetError ? error.code : ''}`),
  };
}

/** What the next transaction would take. */
function line(): string[] {
  const jobs = mailbox.take(() => true);
  mailbox.putBack(jobs);
  return jobs.map(({ command }) => (command.kind === 'workerAnswered' ? command.workerId : ''));
}

function add(...jobs: [string, number][]): void {
  for (const [name, shard] of jobs) mailbox.add(job(name, shard));
}

it('keeps commands in line for what is served, and parks the others until it is', () => {
  add(['a', 1], ['x', 3], ['b', 2], ['y', 3], ['z', 4]);
  expect(line()).toEqual(['a', 'b']);
  expect([mailbox.size, mailbox.hasParked]).toEqual([5, true]);
  served.add(3);
  mailbox.served([3]);
  expect(line()).toEqual(['a', 'b', 'x', 'y']);
});

it('parks what stood in line for a shard that is lost, in order, behind what was being carried out for it', () => {
  add(['b', 1], ['c', 2], ['d', 1]);
  const underWay = job('a', 1);
  served.delete(1);
  mailbox.park();
  mailbox.putBack([underWay, job('e', 2)]);
  expect(line()).toEqual(['e', 'c']);
  expect(underWay.mayBeDone).toBe(true); // whoever has the shard now may have been asked the same
  served.add(1);
  mailbox.served([1]);
  expect(line()).toEqual(['e', 'c', 'a', 'b', 'd']);
});

it('refuses what was parked for 30 s, with one timer, and has none once nothing is parked', () => {
  add(['x', 3]);
  vi.advanceTimersByTime(20_000);
  add(['y', 3], ['z', 4]);
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(10_001);
  expect(refused).toEqual(['x NOT_OWNER']);
  vi.advanceTimersByTime(20_001);
  expect(refused).toEqual(['x NOT_OWNER', 'y NOT_OWNER', 'z NOT_OWNER']);
  expect(vi.getTimerCount()).toBe(0);
});

it('sends to another engine what that one has, is not stored, and has not waited for too long', () => {
  const errors: Error[] = [];
  const add = (isFateUnknown: boolean): void =>
    mailbox.putBack([{ ...job('x', 3), isFateUnknown, reject: (error) => void errors.push(error) }]);
  add(true);
  add(false);
  vi.advanceTimersByTime(31_000);
  add(true);
  add(false);
  elsewhere.add(3);
  mailbox.refuseMoved();
  // Each is parked ahead of the one before.
  expect(errors.map(isMovedAway)).toEqual([false, false, true, false]);
});

it('says when nothing is parked any more', async () => {
  add(['x', 3]);
  let told = false;
  const none = mailbox.noneParked().then(() => (told = true));
  await Promise.resolve();
  expect(told).toBe(false);
  mailbox.refuseParked(new HatchetError('STOPPING', 'the engine is stopping'));
  await none;
  expect(refused).toEqual(['x STOPPING']);
  expect(vi.getTimerCount()).toBe(0);
});

it('is shared as long as something is done for several tenants, however long ago they called', () => {
  for (let n = 0; n < 2_000; n++) mailbox.add(job(`much ${n}`, 1, tenantOf('much')));
  expect(mailbox.isShared).toBe(false);
  for (let round = 0; round < 20; round++) {
    vi.advanceTimersByTime(200);
    mailbox.add(job(`little ${round}`, 1, tenantOf('little')));
    mailbox.take(() => true);
    expect(mailbox.isShared).toBe(true);
  }
  vi.advanceTimersByTime(1_000);
  mailbox.take(() => true);
  expect(mailbox.isShared).toBe(false);
});
