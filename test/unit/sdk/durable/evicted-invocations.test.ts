import { beforeEach, describe, expect, it } from 'vitest';
import { EvictedInvocations, keyOf, type Departure } from '../../../../sdk/durable/evicted-invocations.ts';

let restored: string[];
let departures: EvictedInvocations;

beforeEach(() => {
  restored = [];
  departures = new EvictedInvocations(async ({ taskRunExternalId }) => void restored.push(taskRunExternalId));
});

function leaves(id: string, restore = false): string {
  const departure: Departure = {
    taskRunExternalId: id,
    invocationCount: 1,
    reason: 'its ttl is over',
    waits: [{ durableTaskExternalId: id, invocationCount: 1, branchId: 1n, nodeId: 1n }],
    restore,
  };
  departures.add(departure);
  return keyOf(departure);
}

/** Whose waits are asked for, second by second. */
function asked(seconds: number): string[] {
  return Array.from({ length: seconds }, () =>
    departures
      .due()
      .flatMap((waits) => waits.map((entry) => entry.durableTaskExternalId))
      .join(' '),
  );
}

describe('a task that has left where what wakes it may be lost', () => {
  it('is asked for at growing intervals until a newer invocation has begun', () => {
    const key = leaves('a');
    departures.known(key, true);
    expect(asked(9)).toEqual(['a', '', 'a', '', '', 'a', '', '', '']);
    departures.forget(key);
    expect(asked(600).join('')).toBe('');
  });

  it('starts again at once when a result comes that nobody is there for, and again where that was lost too', () => {
    const key = leaves('a');
    departures.result(key); // on its way while it left
    departures.known(key, true);
    expect(restored).toEqual(['a']);
    const other = leaves('b');
    departures.known(other, true);
    asked(1);
    departures.result(other);
    departures.result(other);
    expect(restored).toEqual(['a', 'b']);
    asked(6);
    departures.result(other);
    expect(restored.filter((id) => id === 'b')).toEqual(['b', 'b']);
  });

  it('is told to the engine again where that has refused it, and is given up in the end', async () => {
    const key = leaves('a');
    for (let second = 0; second < 29; second++) {
      departures.refused(key);
      expect(departures.tick().map(({ taskRunExternalId }) => taskRunExternalId)).toEqual(['a']);
    }
    departures.refused(key);
    expect(departures.tick()).toEqual([]);
    await departures.departed();
  });
});

it('a task that left where nothing is lost is forgotten', () => {
  departures.known(leaves('a'), false);
  expect(asked(600).join('')).toBe('');
});
