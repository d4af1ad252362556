import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readEnvFile } from '../../../../cli/dev/program/load-config.ts';
import { processEnv, workerEnv } from '../../../../cli/dev/workers/worker-env.ts';

const folder = mkdtempSync(join(tmpdir(), 'worker-env-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const connection = {
  address: '127.0.0.1:7',
  token: 'theirs',
  tls: { strategy: 'none' as const, caFile: undefined, certFile: undefined, keyFile: undefined, serverName: undefined },
  apiUrl: 'http://127.0.0.1:8',
  namespace: undefined,
  profile: undefined,
};

it('the environment beats the env file, and where the engine is beats both', () => {
  const env = workerEnv(
    { A: 'environment', HATCHET_CLIENT_TOKEN: 'old' },
    { A: 'file', B: 'file', HATCHET_CLIENT_TOKEN: 'older' },
    connection,
  );
  expect(env).toMatchObject({
    A: 'environment',
    B: 'file',
    HATCHET_CLIENT_TOKEN: 'theirs',
    HATCHET_CLIENT_HOST_PORT: '127.0.0.1:7',
  });
});

it('an env file is read as Node reads it, whatever wrote it', () => {
  const text =
    '\uFEFFFIRST=1\r\nTWO="two words" # said so\r\n# HIDDEN=1\r\nexport THREE=\'x # y\'\r\nEMPTY=\r\n SPACED = a b \r\nLINES="a\\nb"\r\n';
  writeFileSync(join(folder, '.env'), text);
  expect(readEnvFile(folder, undefined)).toEqual({
    FIRST: '1',
    TWO: 'two words',
    THREE: 'x # y',
    EMPTY: '',
    SPACED: 'a b',
    LINES: 'a\nb',
  });
});

it('no env file is none; one that was named has to be there', () => {
  expect(readEnvFile(join(folder, 'elsewhere'), undefined)).toEqual({});
  expect(() => readEnvFile(folder, 'missing.env')).toThrow('missing.env cannot be read');
});

const name = 'HATCHET_CLIENT_WORKER_PRESET_LABELS';

it('a process names itself to the engine beside the labels that its caller presets', () => {
  expect(JSON.parse(processEnv({ A: '1' }, 'p')[name] ?? '')).toEqual({ hatchet__process: 'p' });
  expect(processEnv({ A: '1' }, 'p')['A']).toBe('1');
  expect(JSON.parse(processEnv({ [name]: '{"region":"eu"}' }, 'p')[name] ?? '')).toEqual({
    region: 'eu',
    hatchet__process: 'p',
  });
});

it('leaves labels that are no JSON to the SDK, which refuses them', () => {
  expect(processEnv({ [name]: 'region=eu' }, 'p')).toEqual({ [name]: 'region=eu' });
});
