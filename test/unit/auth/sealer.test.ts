import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { masterKey, Sealer } from '../../../engine/auth/secrets/sealer.ts';

const [first, second] = [masterKey(randomBytes(32)), masterKey(randomBytes(32))];
const wrong = expect.objectContaining({ code: 'SECRET_KEY_WRONG', remedy: expect.stringMatching(/\w/) });

it('opens what it sealed, whatever that is, and shows nothing of it', () => {
  const sealer = new Sealer([first]);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (text, row) => {
      const whole = Buffer.from(text).toString();
      const sealed = sealer.seal(whole, row);
      expect(sealer.open(sealed, row)).toBe(whole);
      expect(sealed).toMatch(/^v1:[0-9a-f]{16}:[\w-]+$/);
      expect(sealer.seal(whole, row)).not.toBe(sealed);
    }),
  );
});

it('refuses what was changed anywhere, belongs to another row, or is of a key that it lacks', () => {
  const sealer = new Sealer([first]);
  const sealed = sealer.seal('the secret', 'webhook 1');
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), fc.constantFrom('A', 'b', '0', ':'), (at, other) => {
      fc.pre(sealed[at] !== other);
      expect(() => sealer.open(sealed.slice(0, at) + other + sealed.slice(at + 1), 'webhook 1')).toThrow(wrong);
    }),
  );
  for (const end of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
    if (!sealed.endsWith(end)) expect(() => sealer.open(sealed.slice(0, -1) + end, 'webhook 1')).toThrow(wrong);
  expect(() => sealer.open(sealed, 'webhook 2')).toThrow(wrong);
  expect(() => new Sealer([second]).open(sealed, 'webhook 1')).toThrow(wrong);
  for (const text of ['', 'v1', 'v1::', `v1:${first.id}:`, 'the secret'])
    expect(() => sealer.open(text, 'webhook 1')).toThrow(wrong);
});

it('seals under the first key, and opens what any of its keys sealed', () => {
  const before = new Sealer([first]).seal('the secret', 'row');
  const both = new Sealer([second, first]);
  expect(both.open(before, 'row')).toBe('the secret');
  expect(new Sealer([second]).open(both.seal('the secret', 'row'), 'row')).toBe('the secret');
});
