import { describe, expect, it } from 'vitest';
import { byteSize, choice, durationMs, names, pair, statuses, wholeNumber } from '../../../../cli/input/parse-flags.ts';
import { timeOrAge } from '../../../../cli/input/time-or-age.ts';

describe('flags', () => {
  it('reads durations', () => {
    expect(durationMs('90s')).toBe(90_000);
    expect(durationMs('1h30m')).toBe(5_400_000);
    expect(durationMs('250ms')).toBe(250);
    for (const bad of ['', '5', 's', '-5s', '5 s', '5x', '1h-3m']) expect(() => durationMs(bad)).toThrow(/duration/);
  });

  it('reads times and ages', () => {
    expect(timeOrAge('2030-01-31T12:00:00Z').toISOString()).toBe('2030-01-31T12:00:00.000Z');
    expect(timeOrAge('2h').getTime()).toBeLessThanOrEqual(Date.now() - 7_200_000);
    for (const bad of ['yesterday', '12', '2030-13-45']) expect(() => timeOrAge(bad)).toThrow();
  });

  it('reads one of some names, whatever its case', () => {
    expect(choice(['GITHUB', 'SVIX'])('github')).toBe('GITHUB');
    expect(() => choice(['GITHUB', 'SVIX'])('git')).toThrow('Choose among GITHUB, SVIX.');
  });

  it('reads numbers within bounds', () => {
    expect(wholeNumber(1, 3)('2')).toBe(2);
    for (const bad of ['0', '4', '1.5', '', 'a', '-1', '1e0']) expect(() => wholeNumber(1, 3)(bad)).toThrow('1 to 3');
  });

  it('gathers pairs, names and statuses', () => {
    expect(pair('a=b=c', { x: 'y' })).toEqual({ x: 'y', a: 'b=c' });
    expect(() => pair('=b', undefined)).toThrow();
    expect(names('a, b', ['c'])).toEqual(['c', 'a', 'b']);
    expect(statuses('failed,RUNNING', undefined)).toEqual(['FAILED', 'RUNNING']);
    expect(() => statuses('DONE', undefined)).toThrow('COMPLETED');
  });

  it('reads sizes', () => {
    expect([byteSize('512'), byteSize('4KiB'), byteSize('1MiB'), byteSize('2k')]).toEqual([512, 4096, 1_048_576, 2048]);
    expect(() => byteSize('1 GB')).toThrow();
  });
});
