import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hidePassword } from '../../../engine/postgres/connect.ts';

test('a password never shows, wherever a URL carries it', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-zA-Z0-9%:@ ?#]{8,20}$/), (secret) => {
      const inside = encodeURIComponent(secret);
      for (const url of [
        `postgres://someone:${inside}@db.example:5432/app`,
        `postgres://db.example/app?user=someone&password=${inside}`,
      ]) {
        const shown = hidePassword(url);
        expect(shown).not.toContain(inside);
        expect(shown).toContain('db.example');
      }
    }),
  );
});

test('what is no URL is not repeated: it may be a password by mistake', () => {
  expect(hidePassword('hunter2')).toBe('the given database URL');
});
