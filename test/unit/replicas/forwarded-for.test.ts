import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { masterKey, Sealer } from '../../../engine/auth/secrets/sealer.ts';
import { ForwardedFor } from '../../../engine/replicas/forwarded-for.ts';

it('is read by engines with the same key, and by nobody else', () => {
  const key = masterKey(randomBytes(32));
  const header = new ForwardedFor(new Sealer([key])).seal('10.0.0.7');
  expect(new ForwardedFor(new Sealer([key])).open(header)).toBe('10.0.0.7');
  expect(new ForwardedFor(new Sealer([masterKey(randomBytes(32)), key])).open(header)).toBe('10.0.0.7');
  const stranger = new ForwardedFor(new Sealer([masterKey(randomBytes(32))]));
  expect(stranger.open(header)).toBeUndefined();
  expect(stranger.open('10.0.0.7')).toBeUndefined();
  expect(stranger.open('')).toBeUndefined();
  expect(stranger.open(undefined)).toBeUndefined();
});

it('seals for calls alone: no other sealed text is taken for one', () => {
  const sealer = new Sealer([masterKey(randomBytes(32))]);
  expect(new ForwardedFor(sealer).open(sealer.seal('10.0.0.7', 'webhook 1'))).toBeUndefined();
});

it('is read without what a later version adds to it', () => {
  const sealer = new Sealer([masterKey(randomBytes(32))]);
  const later = sealer.seal('10.0.0.7 hops=2 more', 'forwarded call');
  expect(new ForwardedFor(sealer).open(later)).toBe('10.0.0.7');
});

it('keeps a bounded number of addresses', () => {
  const forwarded = new ForwardedFor(new Sealer([masterKey(randomBytes(32))]));
  const first = forwarded.seal('0');
  for (let n = 1; n <= 1_000; n++) forwarded.seal(String(n));
  expect(forwarded.seal('0')).not.toBe(first);
  expect(forwarded.open(first)).toBe('0');
});
