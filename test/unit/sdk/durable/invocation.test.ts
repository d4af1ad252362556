import { setImmediate as macrotask } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { DurableTaskErrorType } from '../../../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import { Invocation } from '../../../../sdk/durable/invocation.ts';
import { NonDeterminismError } from '../../../../sdk/errors.ts';

const aDay = { sleepConditions: [{ base: undefined, sleepFor: '24h' }], userEventConditions: [] };
const ref = (node: number) => ({
  durableTaskExternalId: 'task',
  invocationCount: 1,
  branchId: 1n,
  nodeId: BigInt(node),
});

let invocation: Invocation;
let asked: number;

beforeEach(() => {
  asked = 0;
  invocation = new Invocation({
    taskRunExternalId: 'task',
    invocationCount: 1,
    pipelined: true,
    canLeave: true,
    onAsked: (asker) => (asked += asker.takeUnsent().length),
    onWaiting: () => {},
    onComputed: () => {},
  });
});

/** How an operation ended, or that it has not. */
function watched(operation: Promise<unknown>): { end: unknown } {
  const seen: { end: unknown } = { end: 'open' };
  operation.then(
    (value) => (seen.end = value),
    (error: unknown) => (seen.end = error),
  );
  return seen;
}

async function turns(): Promise<void> {
  for (let n = 0; n < 5; n++) await macrotask();
}

describe('an invocation whose code took another way than its log', () => {
  it('is told so at the operation, and at each that it asks for from then on; what it had before still comes', async () => {
    const before = watched(invocation.wait(aDay));
    invocation.take({ $case: 'waitForAck', value: { ref: ref(1) } });
    const strays = watched(invocation.wait(aDay));
    const alongside = watched(
      invocation.memo(
        Buffer.from('m'),
        async () => '1',
        (json) => json,
      ),
    );
    invocation.refuse({
      ref: ref(2),
      errorType: DurableTaskErrorType.DURABLE_TASK_ERROR_TYPE_NONDETERMINISM,
      errorMessage: 'node 2 of the log holds something else',
    });
    await turns();
    const { failure: mismatch } = invocation;
    expect(mismatch).toBeInstanceOf(NonDeterminismError);
    expect(mismatch).toMatchObject({
      taskExternalId: 'task',
      invocationCount: 1,
      nodeId: 2,
      message: expect.stringContaining('node 2 of the log'),
    });
    expect([strays.end, alongside.end]).toEqual([mismatch, mismatch]);
    expect([strays.end === mismatch, alongside.end === mismatch, before.end]).toEqual([true, true, 'open']);
    // The answer to what was asked alongside changes nothing, and nothing more is asked.
    invocation.take({
      $case: 'memoAck',
      value: { ref: ref(2), memoAlreadyExisted: false, memoResultPayload: undefined },
    });
    const later = [
      invocation.wait(aDay),
      invocation.memo(
        Buffer.from('m'),
        async () => '1',
        (json) => json,
      ),
      invocation.record(Buffer.from('r'), '1'),
      invocation.probe(Buffer.from('p')),
      invocation.spawn([]),
    ].map((each) => watched(each));
    await turns();
    expect(later.map(({ end }) => end === mismatch)).toEqual([true, true, true, true, true]);
    expect(asked).toBe(3);
    invocation.complete({ ref: ref(1), payload: Buffer.from('"slept"'), isFailure: false, errorMessage: undefined });
    await turns();
    expect(before.end).toBe('"slept"');
  });

  it('has the first mismatch, whatever the engine says of the others', async () => {
    const ends = [watched(invocation.wait(aDay)), watched(invocation.wait(aDay))];
    for (const node of [1, 1])
      invocation.refuse({
        ref: ref(node),
        errorType: DurableTaskErrorType.DURABLE_TASK_ERROR_TYPE_NONDETERMINISM,
        errorMessage: `no ${asked++}`,
      });
    await turns();
    expect(ends.map(({ end }) => end === invocation.failure)).toEqual([true, true]);
    expect(invocation.failure?.message).toContain('no 2');
  });
});

describe('an invocation that sleeps', () => {
  const acked = async (node: number): Promise<void> => {
    invocation.take({ $case: 'waitForAck', value: { ref: ref(node) } });
    await turns();
  };
  const over = async (node: number): Promise<void> => {
    invocation.complete({ ref: ref(node), payload: Buffer.from('{}'), isFailure: false, errorMessage: undefined });
    await turns();
  };

  it('is asleep while it waits for nothing but long sleeps', async () => {
    const seen: boolean[] = [];
    const look = (): void => void seen.push(invocation.isAsleep);
    look();
    void invocation.wait(aDay, { soonestMs: 86_400_000 });
    await acked(1);
    look(); // a day
    void invocation.wait(aDay, { soonestMs: 1_000 });
    await acked(2);
    look(); // a day, and a second
    void invocation.wait(aDay, { soonestMs: 999 });
    await acked(3);
    look(); // and a shorter one
    await over(3);
    look(); // which is over
    await over(1);
    await over(1); // told twice
    look(); // the second alone
    await over(2);
    look();
    expect(seen).toEqual([false, true, true, false, true, true, false]);
  });

  it('is not asleep once it has left', async () => {
    void invocation.wait(aDay, { soonestMs: 86_400_000 });
    await acked(1);
    invocation.leave();
    expect(invocation.isAsleep).toBe(false);
  });
});

describe('an invocation whose memo is on its way to the engine', () => {
  it('does not count as waiting, however long that takes; once the memo is stored, it does', async () => {
    const sleeping = watched(invocation.wait(aDay));
    invocation.take({ $case: 'waitForAck', value: { ref: ref(1) } });
    await turns();
    expect(invocation.waitingSince).toBeTypeOf('number');
    const memo = watched(
      invocation.memo(
        Buffer.from('m'),
        async () => '1',
        (json) => json,
      ),
    );
    invocation.take({
      $case: 'memoAck',
      value: { ref: ref(2), memoAlreadyExisted: false, memoResultPayload: undefined },
    });
    await turns();
    expect([invocation.unconfirmed().length, invocation.waitingSince]).toEqual([1, undefined]);
    invocation.complete({ ref: ref(2), payload: Buffer.from('1'), isFailure: false, errorMessage: undefined });
    await turns();
    expect([memo.end, sleeping.end]).toEqual(['1', 'open']);
    expect(invocation.waitingSince).toBeTypeOf('number');
  });
});
