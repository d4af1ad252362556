import { describe, expect, it } from 'vitest';
import { CelEvaluator } from '../../../../engine/cel/cel-evaluator.ts';
import { HatchetError } from '../../../../engine/base/errors.ts';
import { readConditions } from '../../../../engine/grpc/definition/conditions.ts';
import { readDurableConditions } from '../../../../engine/grpc/durable/durable-conditions.ts';
import {
  TaskConditions,
  type BaseMatchCondition,
  type SleepMatchCondition,
  type UserEventMatchCondition,
} from '../../../../proto/gen/hatchet/contract/v1/condition.ts';
import { tenantOf } from '../../../helpers/tenant.ts';

const base: BaseMatchCondition = { readableDataKey: 'key', action: 0, orGroupId: '', expression: '' };
const sleep = (sleepFor: string, more: Partial<BaseMatchCondition> = {}): SleepMatchCondition => ({
  base: { ...base, ...more },
  sleepFor,
});
const event = (userEventKey: string, more: Partial<BaseMatchCondition> = {}): UserEventMatchCondition => ({
  base: { ...base, ...more },
  userEventKey,
});

interface Asked {
  sleepConditions?: SleepMatchCondition[];
  userEventConditions?: UserEventMatchCondition[];
}

function ofWait({ sleepConditions = [], userEventConditions = [] }: Asked): unknown[] {
  return readDurableConditions({ sleepConditions, userEventConditions });
}

async function ofTask(asked: Asked): Promise<unknown[]> {
  return readConditions(TaskConditions.fromPartial(asked), {
    where: 'of task t',
    places: new Map(),
    parents: [],
    cel: new CelEvaluator().of(tenantOf('t')),
  });
}

async function refusal(read: () => unknown): Promise<{ code: string; message: string; remedy: string | undefined }> {
  try {
    await read();
  } catch (error) {
    if (error instanceof HatchetError) return { code: error.code, message: error.message, remedy: error.remedy };
  }
  throw new Error('it was not refused');
}

describe('the conditions of a wait and those of a task', () => {
  const wrong: [string, Asked][] = [
    ['the sleep HERE "soon" is not a duration', { sleepConditions: [sleep('soon')] }],
    ['the sleep HERE "8785h" is longer than 31622400000 ms', { sleepConditions: [sleep('8785h')] }],
    ['an event key HERE has 0 characters', { userEventConditions: [event('')] }],
    ['an event key HERE has 1001 characters', { userEventConditions: [event('k'.repeat(1001))] }],
    ['an event key HERE holds a NUL character', { userEventConditions: [event('a\0b')] }],
    [
      'a condition HERE: the CEL expression "1 +" is not valid',
      { userEventConditions: [event('k', { expression: '1 +' })] },
    ],
  ];
  it.each(wrong)('are refused alike: %s', async (message, asked) => {
    const [wait, task] = [await refusal(() => ofWait(asked)), await refusal(() => ofTask(asked))];
    expect(wait.message).toContain(message.replace('HERE', 'of the wait'));
    expect(task).toEqual({ ...wait, message: wait.message.replace('of the wait', 'of task t') });
    expect(task.code).toBe('INVALID_ARGUMENT');
    expect(task.remedy).not.toBe('');
  });

  it('are at most a hundred', async () => {
    const sleeps = (count: number): Asked => ({ sleepConditions: Array.from({ length: count }, () => sleep('1s')) });
    expect(ofWait(sleeps(100))).toHaveLength(100);
    expect(await ofTask(sleeps(100))).toHaveLength(100);
    expect(await refusal(() => ofWait(sleeps(101)))).toMatchObject({ message: 'the wait has 101 conditions' });
    expect(await refusal(() => ofTask(sleeps(101)))).toMatchObject({ message: 'there are 101 conditions of task t' });
    expect(await refusal(() => ofWait({}))).toMatchObject({ message: 'the wait has 0 conditions' });
    expect(await ofTask({})).toEqual([]);
  });

  it('have the same groups, whatever these are called this time', async () => {
    const asked = (one: string, two: string): Asked => ({
      sleepConditions: [sleep('1s', { orGroupId: one }), sleep('2s'), sleep('3s', { orGroupId: two })],
      userEventConditions: [event('k', { orGroupId: one, readableDataKey: 'ab' })],
    });
    const expected = [{ group: 0 }, { group: 1 }, { group: 2 }, { group: 0, dataKey: 'ab' }];
    for (const read of [ofWait, ofTask]) {
      expect(await read(asked('x', 'y'))).toMatchObject(expected);
      expect(JSON.stringify(await read(asked('x', 'y')))).toBe(JSON.stringify(await read(asked('p', 'q'))));
    }
  });

  it('keep their text, of which checksums and fingerprints are made', async () => {
    const asked: Asked = { sleepConditions: [sleep('1m')], userEventConditions: [event('k', { expression: 'true' })] };
    expect(JSON.stringify(await ofTask(asked))).toBe(
      '[{"action":"CREATE","group":0,"expression":"","dataKey":"key","kind":"sleep","ms":60000,"duration":"1m"},{"action":"CREATE","group":1,"expression":"true","dataKey":"key","kind":"event","eventKey":"k","scope":null}]',
    );
    expect(JSON.stringify(ofWait(asked))).toBe(
      '[{"group":0,"dataKey":"key","kind":"sleep","ms":60000,"duration":"1m"},{"group":1,"dataKey":"key","kind":"event","eventKey":"k","scope":null,"expression":"true","sinceMs":null}]',
    );
  });
});
