import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesEventKey } from '../../../engine/model/event-key.ts';

/** The same by a regular expression in which everything but the star is escaped. */
function byRegExp(pattern: string, key: string): boolean {
  return new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&'))
      .join('[^]*')}$`,
  ).test(key);
}

describe('matchesEventKey', () => {
  it('knows the star and nothing else', () => {
    expect(matchesEventKey('user_created', 'userXcreated')).toBe(false);
    expect(matchesEventKey('user_created', 'user_created')).toBe(true);
    expect(matchesEventKey('user.created', 'user-created')).toBe(false);
    expect(matchesEventKey('user:*', 'user:created:twice')).toBe(true);
    expect(matchesEventKey('*', '')).toBe(true);
    expect(matchesEventKey('a*a', 'a')).toBe(false);
    expect(matchesEventKey('%', 'x')).toBe(false);
  });

  it('agrees with an escaped regular expression', () => {
    const text = fc.array(fc.constantFrom('a', 'b', '.', '_', '%'), { maxLength: 8 }).map((parts) => parts.join(''));
    const pattern = fc
      .array(fc.constantFrom('a', 'b', '.', '_', '%', '*'), { maxLength: 6 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(pattern, text, (each, key) => {
        expect(matchesEventKey(each, key)).toBe(byRegExp(each, key));
      }),
      { numRuns: 5000 },
    );
  });
});
