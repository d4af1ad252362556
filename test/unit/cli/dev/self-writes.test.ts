import { describe, expect, it } from 'vitest';
import { SelfWrites } from '../../../../cli/dev/watch/self-writes.ts';

/** A session whose worker needs 300 ms to its start, in which it may write. */
function session(): { at(ms: number, ...files: string[]): string } {
  const writes = new SelfWrites();
  writes.started();
  writes.ready(300);
  return {
    at(ms, ...files) {
      const answer = writes.judge(files, ms);
      if (answer === 'start') {
        writes.started();
        writes.ready(ms + 300);
      }
      return answer;
    },
  };
}

describe('SelfWrites', () => {
  it('holds at the fourth change that a start has made, and says so once', () => {
    const { at } = session();
    expect([at(400, 'own'), at(800, 'own'), at(1200, 'own'), at(1600, 'own'), at(1700, 'own')]).toEqual([
      'start',
      'start',
      'start',
      'hold',
      'held',
    ]);
  });

  it('goes on with a change of another file, or with one of the same that no start has made', () => {
    const { at } = session();
    for (const ms of [400, 800, 1200, 1600]) at(ms, 'own');
    expect(at(1700, 'own', 'other')).toBe('start');
    const again = session();
    for (const ms of [400, 800, 1200, 1600]) again.at(ms, 'own');
    expect(again.at(5000, 'own')).toBe('start');
  });

  it('lets a person save as often as a person can', () => {
    const { at } = session();
    expect([1000, 2000, 3000, 4000, 5000, 6000].map((ms) => at(ms, 'mine'))).toEqual(
      Array.from({ length: 6 }, () => 'start'),
    );
    const other = session();
    expect([400, 800, 1200, 1600].map((ms, at) => other.at(ms, `file ${at}`))).toEqual(
      Array.from({ length: 4 }, () => 'start'),
    );
  });
});
