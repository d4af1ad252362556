import { setImmediate as macrotask } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { DurableTaskErrorType } from '../../../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import { TriggerWorkflowRequest } from '../../../../proto/gen/hatchet/contract/v1/trigger.ts';
import { Invocation, longestAnswerTicks } from '../../../../sdk/durable/invocation.ts';
import type { DurableRequest } from '../../../../sdk/durable/unanswered-requests.ts';

const aDay = { sleepConditions: [{ base: undefined, sleepFor: '24h' }], userEventConditions: [] };
const ref = (node: number) => ({
  durableTaskExternalId: 'task',
  invocationCount: 1,
  branchId: 1n,
  nodeId: BigInt(node),
});

let invocation: Invocation;
let sent: DurableRequest[];
let computed: DurableRequest[];

beforeEach(() => {
  sent = [];
  computed = [];
  invocation = begin(false);
});

function begin(pipelined: boolean): Invocation {
  return new Invocation({
    taskRunExternalId: 'task',
    invocationCount: 1,
    pipelined,
    canLeave: true,
    onAsked: (asker) => sent.push(...asker.takeUnsent()),
    onWaiting: () => {},
    onComputed: (completion) => computed.push(completion),
  });
}

/** What has ended, in the order in which the code was told. */
function turnsOf(operations: Record<string, Promise<unknown>>): string[] {
  const turns: string[] = [];
  for (const [name, operation] of Object.entries(operations))
    operation.then(
      (value) => turns.push(`${name} ${String(value)}`),
      (error: unknown) => turns.push(`${name} failed: ${String(error)}`),
    );
  return turns;
}

async function settled(): Promise<void> {
  for (let n = 0; n < 8; n++) await macrotask();
}

function waits(node: number): void {
  invocation.take({ $case: 'waitForAck', value: { ref: ref(node) } });
}

function memoOf(node: number, value?: string): void {
  invocation.take({
    $case: 'memoAck',
    value: {
      ref: ref(node),
      memoAlreadyExisted: value !== undefined,
      memoResultPayload: value === undefined ? undefined : Buffer.from(value),
    },
  });
}

function result(node: number, payload = `"result ${node}"`): void {
  invocation.complete({ ref: ref(node), payload: Buffer.from(payload), isFailure: false, errorMessage: undefined });
}

function mismatch(node: number): void {
  invocation.refuse({
    ref: ref(node),
    errorType: DurableTaskErrorType.DURABLE_TASK_ERROR_TYPE_NONDETERMINISM,
    errorMessage: `node ${node} holds something else`,
  });
}

describe('an invocation on an engine that takes one request at a time', () => {
  it('sends the next one once the last is answered; elsewhere all go at once', () => {
    for (let n = 0; n < 3; n++) void invocation.wait(aDay);
    expect(sent).toHaveLength(1);
    waits(1);
    expect(sent).toHaveLength(2);
    waits(2);
    expect(sent).toHaveLength(3);
    invocation = begin(true);
    for (let n = 0; n < 3; n++) void invocation.wait(aDay);
    expect(sent).toHaveLength(6);
  });

  it('spawns children with keys one by one, as the answer has them in the order of their places', async () => {
    const children = invocation.spawn(
      ['a', 'b'].map((childKey) => TriggerWorkflowRequest.fromPartial({ name: 'child', childKey })),
    );
    invocation.take({
      $case: 'triggerRunsAck',
      value: {
        durableTaskExternalId: 'task',
        invocationCount: 1,
        runEntries: [{ branchId: 1n, nodeId: 2n, workflowRunExternalId: 'a' }],
      },
    });
    invocation.take({
      $case: 'triggerRunsAck',
      value: {
        durableTaskExternalId: 'task',
        invocationCount: 1,
        runEntries: [{ branchId: 1n, nodeId: 1n, workflowRunExternalId: 'b' }],
      },
    });
    expect((await children).map(({ runId }) => runId)).toEqual(['a', 'b']);
    expect(sent.map((request) => (request.$case === 'triggerRuns' ? request.value.triggerOpts.length : 0))).toEqual([
      1, 1,
    ]);
  });

  it('keeps a result that overtook the answer with its place, and those behind it', async () => {
    const turns = turnsOf({ one: invocation.wait(aDay), two: invocation.wait(aDay) });
    waits(1);
    result(2);
    result(1);
    await settled();
    expect(turns).toEqual([]);
    waits(2);
    await settled();
    expect(turns).toEqual(['two "result 2"', 'one "result 1"']);
  });

  it('gives a result up whose place its code never asks for', async () => {
    const turns = turnsOf({ one: invocation.wait(aDay) });
    waits(1);
    result(7);
    result(1);
    for (let second = 0; second < 5; second++) invocation.tick();
    await settled();
    expect(turns).toEqual([]);
    invocation.tick();
    await settled();
    expect(turns).toEqual(['one "result 1"']);
  });

  it('takes the turns of memos in the order of the questions, before results: live as in a replay', async () => {
    let end = (_value: string): void => {};
    const slow = new Promise<string>((resolve) => (end = resolve));
    const ask = (): string[] =>
      turnsOf({
        slow: invocation.memo(
          Buffer.from('s'),
          async () => await slow,
          (json) => json,
        ),
        sleep: invocation.wait(aDay),
        quick: invocation.memo(
          Buffer.from('q'),
          async () => '"quick"',
          (json) => json,
        ),
      });
    const live = ask();
    memoOf(1);
    waits(2);
    memoOf(3);
    await settled();
    result(2);
    result(3, '');
    await settled();
    expect(live).toEqual([]); // the slow one is not there
    end('"slow"');
    await settled();
    expect(
      computed.map((request) => (request.$case === 'completeMemo' ? request.value.ref?.nodeId : undefined)),
    ).toEqual([3n, 1n]);
    expect(live).toEqual([]); // nor does the engine have it
    result(1, '');
    await settled();
    expect(live).toEqual(['slow "slow"', 'quick "quick"', 'sleep "result 2"']);
    invocation = begin(false);
    const replay = ask();
    memoOf(1, '"slow"');
    waits(2);
    result(2);
    await settled();
    memoOf(3, '"quick"');
    await settled();
    expect(replay).toEqual(live);
  });

  it('takes a mismatch for an answer to patched: the log has no such place. Any other operation fails by it', async () => {
    const turns = turnsOf({ patched: invocation.probe(Buffer.from('patched:p')), next: invocation.wait(aDay) });
    mismatch(1);
    await settled();
    expect(turns).toEqual(['patched false']);
    expect(invocation.failure).toBeUndefined();
    mismatch(1);
    await settled();
    expect(invocation.failure?.code).toBe('NON_DETERMINISM');
  });

  it('cannot go on after a break of the stream once it was told of a result, nor with a request on its way', () => {
    void invocation.wait(aDay);
    expect(invocation.outlivesStream).toBe(false);
    waits(1);
    expect(invocation.outlivesStream).toBe(true);
    result(1);
    expect(invocation.outlivesStream).toBe(false);
  });
});

describe('a request that is not answered', () => {
  it.each([true, false])(
    'fails after a time, and all that its code asks for afterwards (pipelined: %s)',
    async (pipelined) => {
      invocation = begin(pipelined);
      const turns = turnsOf({ one: invocation.wait(aDay), two: invocation.wait(aDay) });
      for (let second = 0; second < longestAnswerTicks; second++) invocation.tick();
      await settled();
      expect(turns).toEqual([]);
      invocation.tick();
      await settled();
      expect(turns).toHaveLength(2);
      expect(invocation.failure).toMatchObject({ code: 'NO_ANSWER', message: expect.stringContaining('waitFor') });
      await expect(invocation.wait(aDay)).rejects.toBe(invocation.failure);
    },
  );

  it('has its whole time after each answer', () => {
    void invocation.wait(aDay);
    void invocation.wait(aDay);
    for (let second = 0; second < longestAnswerTicks; second++) invocation.tick();
    waits(1);
    for (let second = 0; second < longestAnswerTicks; second++) invocation.tick();
    expect(invocation.failure).toBeUndefined();
  });
});
