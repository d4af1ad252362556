import { expect, it } from 'vitest';
import { warnOfVisibleSecrets, type SecretFlags } from '../../../../cli/input/visible-secrets.ts';

function warned(flags: SecretFlags): string {
  let said = '';
  const stream = { write: (text: string) => (said += text) && true, isTTY: false };
  warnOfVisibleSecrets(Object({ stdout: stream, stderr: stream, env: {} }), flags);
  return said;
}

it('tells of each secret on the command line, without repeating it', () => {
  expect(warned({ token: 'hidden' })).toMatch(/--token-file/);
  expect(warned({ secret: 'hidden' })).toMatch(/--secret-env/);
  expect(warned({ databaseUrl: 'postgres://user:hidden@host/db' })).toMatch(/DATABASE_URL/);
  expect(warned({ token: 'hidden', secret: 'hidden', databaseUrl: 'postgres://user:hidden@host/db' })).not.toContain(
    'hidden',
  );
});

it('has nothing to say of what shows none', () => {
  for (const flags of [{}, { token: '-' }, { databaseUrl: 'postgres://host/db' }, { databaseUrl: 'host=db' }])
    expect(warned(flags)).toBe('');
});
