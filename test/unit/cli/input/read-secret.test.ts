import { describe, expect, it } from 'vitest';
import type { CliContext } from '../../../../cli/cli-context.ts';
import { readSecret } from '../../../../cli/input/read-secret.ts';

function context(env: CliContext['env']): CliContext {
  return {
    cwd: '/',
    env: { CI: '1', ...env },
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    interrupted: new AbortController().signal,
    interrupt: () => undefined,
  };
}

describe('readSecret', () => {
  it('comes from the flag or a variable, as it is', async () => {
    expect(await readSecret(context({}), { secret: 'a b' }, 'password')).toBe('a b');
    expect(await readSecret(context({ MINE: 'from env\n' }), { secretEnv: 'MINE' }, 'password')).toBe('from env\n');
  });

  it.each([
    [{}, /the password is missing/],
    [{ secret: '' }, /is empty/],
    [{ secretEnv: 'NONE' }, /NONE is not set/],
    [{ secretFile: '/no/such/file' }, /cannot be read/],
    [{ secret: 'shown never', secretEnv: 'MINE' }, /more than once/],
  ])('refuses %j without showing it', async (flags, message) => {
    const error = await readSecret(context({}), flags, 'password').then(String, String);
    expect(error).toMatch(message);
    expect(error).not.toContain('shown never');
  });
});
