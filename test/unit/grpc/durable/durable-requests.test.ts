import { describe, expect, it } from 'vitest';
import type { Parsed } from '../../../../engine/edge/parsed-commands.ts';
import { DurableRequests } from '../../../../engine/grpc/durable/durable-requests.ts';
import { markChecked } from '../../../../engine/model/checked.ts';
import type { DurableSender } from '../../../../engine/model/durable/durable-operation.ts';
import { tenantOf } from '../../../helpers/tenant.ts';

function senderOf(taskId: string): Parsed<DurableSender> {
  return {
    tenantId: tenantOf('tenant'),
    workerId: markChecked('worker'),
    taskId: markChecked(taskId),
    invocation: markChecked(1),
  };
}

/** A promise that the test fulfils. */
class Gate {
  open: () => void = () => undefined;
  readonly passed = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}

function unexpected(error: unknown): void {
  throw error;
}

describe('DurableRequests', () => {
  it('submits what a task asks for in its order, and goes on after a refusal', async () => {
    const requests = new DurableRequests(unexpected);
    const submitted: string[] = [];
    const slow = new Gate();
    const submit = async (what: string): Promise<void> => void submitted.push(what);
    const first = requests.enter('a', () => slow.passed.then(() => 'a1'), submit);
    const refused = requests.enter('a', () => Promise.reject<string>(new Error('refused')), submit);
    const second = requests.enter('a', () => 'a2', submit);
    const third = requests.enter('a', () => 'a3', submit);
    void requests.enter('b', () => 'b1', submit);
    expect(submitted).toEqual(['b1']);
    slow.open();
    await expect(refused).rejects.toThrow('refused');
    await Promise.all([first, second, third]);
    expect(submitted).toEqual(['b1', 'a1', 'a2', 'a3']);
    // Nothing is on its way any more, but for what waits for its commit.
    const commit = new Gate();
    const waiting = requests.enter(
      'a',
      () => 'a4',
      (what) => submit(what).then(() => commit.passed),
    );
    void requests.enter('a', () => 'a5', submit);
    expect(submitted.slice(4)).toEqual(['a4', 'a5']);
    commit.open();
    await waiting;
    await expect(
      requests.enter(
        'a',
        () => {
          throw new Error('not JSON');
        },
        submit,
      ),
    ).rejects.toThrow('not JSON');
  });

  it('what cannot be read before its turn is refused in its turn', async () => {
    const refused: unknown[] = [];
    const requests = new DurableRequests((error) => refused.push(error));
    const slow = new Gate();
    const done = new Gate();
    requests.leave('a', slow.passed, () => void refused.push('first'));
    requests.leave('a', Promise.reject(new Error('Postgres is away')), unexpected);
    requests.leave('a', Promise.resolve(), () => done.open());
    // Node tells of rejections that nobody has taken after each turn of the loop.
    await new Promise((resolve) => setImmediate(resolve));
    slow.open();
    await done.passed;
    expect(refused).toEqual(['first', new Error('Postgres is away')]);
  });

  it('tells a task in the order of the plans, whatever is read first', async () => {
    const requests = new DurableRequests(unexpected);
    const told: string[] = [];
    const slow = new Gate();
    const done = new Gate();
    requests.leave('a', slow.passed, () => void told.push('first'));
    requests.leave('a', 'at hand', (value) => void told.push(value));
    requests.leave('a', Promise.resolve('second'), (value) => {
      told.push(value);
      done.open();
    });
    slow.open();
    await done.passed;
    expect(told).toEqual(['first', 'at hand', 'second']);
  });

  it('holds a refusal back until what the task asked for before it is answered', async () => {
    const requests = new DurableRequests(unexpected);
    const told: string[] = [];
    const first = requests.open(senderOf('a'), 'waitFor');
    const second = requests.open(senderOf('a'), 'memo');
    const third = requests.open(senderOf('a'), 'memo');
    const other = requests.open(senderOf('b'), 'memo');
    const last = new Gate();
    requests.refuseInTurn(third, () => {
      told.push('third refused');
      last.open();
    });
    requests.refuseInTurn(second, () => void told.push('second refused'));
    requests.refuseInTurn(other, () => void told.push('other refused'));
    requests.leave('a', Promise.resolve(), () => void told.push('first answered'));
    requests.settle(first);
    await last.passed;
    expect(told.filter((line) => line !== 'other refused')).toEqual([
      'first answered',
      'second refused',
      'third refused',
    ]);
    expect(told).toContain('other refused');
    expect([first, second, third, other].map((request) => requests.find(request))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
