import { describe, expect, it } from 'vitest';
import { Or, soonestMs, type WaitCondition } from '../../../sdk/definition/conditions.ts';

const second: WaitCondition = { sleepFor: '1s' };
const minute: WaitCondition = { sleepFor: '1m' };
const event: WaitCondition = { eventKey: 'any' };

describe('soonestMs', () => {
  it.each<[string, WaitCondition | WaitCondition[], number]>([
    ['a sleep', minute, 60_000],
    ['an event', event, 0],
    ['all of a list: the longest', [second, minute], 60_000],
    ['all of a list with an event', [event, minute], 60_000],
    ['one of two sleeps: the shorter', Or({ sleepFor: '1m' }, { sleepFor: '1s' }), 1_000],
    ['a sleep or an event', Or({ sleepFor: '1m' }, { eventKey: 'any' }), 0],
    ['a list with an Or', [second, Or({ sleepFor: '1m' }, { eventKey: 'any' })], 1_000],
  ])('%s', (_, given, expected) => {
    expect(soonestMs(given)).toBe(expected);
  });
});
