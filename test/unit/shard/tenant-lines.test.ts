import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TenantLines } from '../../../engine/shard/tenant-lines.ts';
import type { Job } from '../../../engine/shard/job.ts';
import { transactionChars, JobPayloads } from '../../../engine/shard/job-payloads.ts';
import type { TenantId } from '../../../engine/model/ids/tenant-id.ts';
import { tenantOf } from '../../helpers/tenant.ts';

function job(options: { tenantId?: TenantId; taskId?: string; rows?: number; chars?: number }): Job {
  const { tenantId = tenantOf('t'), taskId = '', rows = 1, chars = 1 } = options;
  const command = { kind: 'completed', tenantId, taskId, attempt: 0, output: 'x'.repeat(chars) } as const;
  const payloads = new JobPayloads(command);
  payloads.unstage(); // they go with the transaction
  return {
    shard: 0,
    tenantId,
    command,
    payloads,
    rows,
    queuedAtMs: 0,
    mayBeDone: false,
    isFateUnknown: false,
    longLogs: [],
    run: () => () => undefined,
    reject: () => undefined,
  };
}

/** A part of a bulk call. */
function bulk(): Job {
  return { ...job({ rows: 50 }), command: { kind: 'trigger', tenantId: tenantOf('t'), runs: [] } };
}

function linesOf(jobs: readonly Job[]): TenantLines {
  const lines = new TenantLines();
  for (const each of jobs) lines.push(each);
  return lines;
}

const tenants = ['a', 'b', 'c'].map(tenantOf);
const isReady = (): boolean => true;
const taskOf = ({ command }: Job): string => ('taskId' in command ? command.taskId : '');
const isHeavy = ({ rows, payloads }: Job): boolean => rows > 8 || payloads.weight > 1024;
const rowsOf = (jobs: readonly Job[]): number => jobs.reduce((sum, { rows }) => sum + rows, 0);

it('takes every command once, never a later one of a task first, within what a transaction has room for', () => {
  const some = fc.record({
    tenantId: fc.constantFrom(...tenants),
    taskId: fc.constantFrom('1', '2', '3', '4'),
    rows: fc.constantFrom(1, 1, 1, 9, 100, 400, 1000, 20_000),
    chars: fc.constantFrom(1, 1, 1000, 300_000, 900_000, 2_000_000),
  });
  fc.assert(
    fc.property(fc.array(some, { maxLength: 40 }), fc.constantFrom('', '1', '2'), (list, notReady) => {
      const all = list.map(job);
      const lines = linesOf(all);
      const taken: Job[] = [];
      for (let rounds = 0; lines.size > 0 && rounds < 200; rounds++) {
        const ready = (one: Job): boolean => rounds > 3 || taskOf(one) !== notReady;
        const size = lines.size;
        const jobs = lines.take(ready);
        expect(jobs.every(ready)).toBe(true);
        expect(jobs.length > 0 || rounds <= 3).toBe(true);
        expect(lines.size).toBe(size - jobs.length);
        const [first, ...others] = jobs.filter(isHeavy);
        const rest = jobs.filter((one) => one !== first);
        expect(others.length === 0 || rowsOf(jobs) <= 500 + rest.length * 8).toBe(true);
        const chars = jobs.reduce((sum, { payloads }) => sum + payloads.weight, 0);
        expect(others.length === 0 || chars <= transactionChars + rest.length * 1024).toBe(true);
        taken.push(...jobs);
      }
      expect(new Set(taken)).toEqual(new Set(all));
      expect(taken).toHaveLength(all.length);
      const inOrder = (jobs: readonly Job[], tenantId: TenantId, taskId: string): Job[] =>
        jobs.filter((one) => one.tenantId === tenantId && taskOf(one) === taskId);
      for (const tenantId of tenants)
        for (const taskId of ['1', '2', '3', '4'])
          expect(inOrder(taken, tenantId, taskId)).toEqual(inOrder(all, tenantId, taskId));
    }),
  );
});

it('gives each bulk call a transaction of its own', () => {
  const lines = linesOf(Array.from({ length: 100 }, () => job({ rows: 1000 })));
  expect([lines.take(isReady), lines.take(isReady), lines.take(isReady)].map(({ length }) => length)).toEqual([
    1, 1, 1,
  ]);
});

it('lets light ones pass the heavy ones that wait for room', () => {
  const queue = [
    job({ taskId: 'a', chars: 900_000 }),
    job({ taskId: 'b', chars: 900_000 }),
    job({ taskId: 'c', chars: 10 }),
    job({ taskId: 'b', chars: 20 }),
  ];
  const lines = linesOf(queue);
  expect(lines.take(isReady)).toEqual([queue[0], queue[2]]);
  expect(lines.take(isReady)).toEqual([queue[1], queue[3]]);
});

it('lets one tenant wait for no other, however much that one sends', () => {
  const much = [
    ...Array.from({ length: 100 }, () => job({ tenantId: tenantOf('much'), rows: 1000 })),
    ...Array.from({ length: 5000 }, () => job({ tenantId: tenantOf('much') })),
  ];
  const lines = linesOf(much);
  const light = job({ tenantId: tenantOf('little') });
  lines.push(light);
  expect(lines.take(isReady)).toContain(light);
  const heavy = job({ tenantId: tenantOf('little'), rows: 1000 });
  lines.push(heavy);
  expect([...lines.take(isReady), ...lines.take(isReady)]).toContain(heavy);
});

it('leaves a tenant a small part of each transaction while others are there, and all of it while it is alone', () => {
  const much = (): TenantLines =>
    linesOf([
      ...Array.from({ length: 300 }, () => job({ tenantId: tenantOf('much') })),
      ...Array.from({ length: 10 }, () => job({ tenantId: tenantOf('much'), rows: 50 })),
      ...Array.from({ length: 3 }, () => job({ tenantId: tenantOf('little') })),
    ]);
  const lines = much();
  const first = lines.take(isReady, true);
  expect(rowsOf(first.filter(({ tenantId }) => tenantId === 'much'))).toBe(50);
  expect(first.filter(({ tenantId }) => tenantId === 'little')).toHaveLength(3);
  const transactions: number[] = [];
  while (lines.size > 0) transactions.push(rowsOf(lines.take(isReady, true)));
  expect(transactions.every((rows) => rows > 0 && rows <= 100)).toBe(true);
  expect(rowsOf(much().take(isReady))).toBeGreaterThan(400);
});

it.each([true, false])('lets no report of a tenant wait for what it brings in bulk (%s: beside others)', (isShared) => {
  const lines = linesOf([
    ...Array.from({ length: 2_000 }, () => bulk()),
    ...Array.from({ length: 10 }, (_, n) => job({ taskId: String(n) })),
  ]);
  const first = lines.take(isReady, isShared);
  expect(first.filter((one) => !isHeavy(one))).toHaveLength(10);
  expect(first.filter(isHeavy).length).toBeGreaterThan(0);
});

it('carries out what is larger than a part while others are there, too', () => {
  const lines = linesOf([job({ tenantId: tenantOf('heavy'), rows: 1000 })]);
  expect(lines.take(isReady, true)).toHaveLength(1);
  const heavy = job({ tenantId: tenantOf('heavy'), rows: 1000 });
  lines.push(heavy);
  const taken: Job[] = [];
  for (let round = 0; round < 60 && !taken.includes(heavy); round++) {
    lines.push(job({ tenantId: tenantOf('light') }));
    taken.push(...lines.take(isReady, true));
  }
  expect(taken).toContain(heavy);
});

it('lets a heavy command be overtaken by the light ones of others for a while, not for ever', () => {
  const heavy = job({ tenantId: tenantOf('heavy'), rows: 5000 });
  const lines = linesOf([heavy]);
  const taken: Job[] = [];
  for (let round = 0; round < 5; round++) {
    for (let n = 0; n < 400; n++) lines.push(job({ tenantId: tenantOf('light') }));
    taken.push(...lines.take(isReady));
  }
  expect(taken).toContain(heavy);
});

it('keeps what it is told to put back ahead of what came later', () => {
  const [first, second, third] = [job({}), job({}), job({})];
  const lines = linesOf([third]);
  lines.putBack([first, second]);
  expect(lines.take(isReady)).toEqual([first, second, third]);
});

it('takes out what is asked for, wherever it stands', () => {
  const jobs = [job({ tenantId: tenantOf('a') }), job({ tenantId: tenantOf('b') }), job({ tenantId: tenantOf('a') })];
  const lines = linesOf(jobs);
  expect(lines.takeOut((one) => one === jobs[2] || one === jobs[1])).toEqual([jobs[2], jobs[1]]);
  expect(lines.size).toBe(1);
  expect(lines.some((one) => one === jobs[0])).toBe(true);
});

it('has what was put back at its head again, in its order, however much stood there', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3_000 }),
      fc.array(fc.record({ kept: fc.nat(600), more: fc.nat(20) }), { maxLength: 12 }),
      (count, rounds) => {
        let made = 0;
        const next = (): Job => job({ taskId: String(made++) });
        const all = Array.from({ length: count }, next);
        const lines = linesOf(all);
        const done: Job[] = [];
        for (const { kept, more } of rounds) {
          const taken = lines.take(isReady);
          done.push(...taken.slice(0, kept));
          lines.putBack(taken.slice(kept));
          for (let added = 0; added < more; added++) {
            const late = next();
            all.push(late);
            lines.push(late);
          }
          expect(lines.size).toBe(all.length - done.length);
        }
        for (let left = all.length; left > 0 && lines.size > 0; left--) done.push(...lines.take(isReady));
        expect(done.map(taskOf)).toEqual(all.map(taskOf));
      },
    ),
    { numRuns: 60 },
  );
});
