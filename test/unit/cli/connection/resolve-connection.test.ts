import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { profilesPath, readProfiles, writeProfiles } from '../../../../cli/connection/profile-store.ts';
import { resolveConnection } from '../../../../cli/connection/resolve-connection.ts';

const folder = mkdtempSync(join(tmpdir(), 'hatchet-connection-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function token(claims: Record<string, unknown>): string {
  return `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;
}

const local = token({ sub: 't', grpc_broadcast_address: '127.0.0.1:7077', server_url: 'http://127.0.0.1:8888' });
const cloud = token({ sub: 't', grpc_broadcast_address: 'engine.example:443', server_url: 'https://api.example' });
const context = (env: Record<string, string> = {}) => ({ cwd: folder, env });

describe('which engine', () => {
  it('reads addresses and TLS from the token', () => {
    expect(resolveConnection(context({ HATCHET_CLIENT_TOKEN: local }), {})).toMatchObject({
      address: '127.0.0.1:7077',
      tls: { strategy: 'none' },
      apiUrl: 'http://127.0.0.1:8888',
    });
    expect(resolveConnection(context({ HATCHET_CLIENT_TOKEN: cloud }), {})).toMatchObject({
      address: 'engine.example:443',
      tls: { strategy: 'tls' },
    });
  });

  it('puts flags before the environment, and the environment before the token', () => {
    const env = {
      HATCHET_CLIENT_TOKEN: cloud,
      HATCHET_CLIENT_HOST_PORT: 'other:1',
      HATCHET_CLIENT_TLS_STRATEGY: 'none',
      HATCHET_CLIENT_NAMESPACE: 'dev_',
    };
    expect(resolveConnection(context(env), {})).toMatchObject({
      address: 'other:1',
      tls: { strategy: 'none' },
      namespace: 'dev_',
    });
    expect(resolveConnection(context(env), { address: 'flag:2', token: local })).toMatchObject({
      address: 'flag:2',
      token: local,
    });
  });

  it('puts an explicit data folder before the environment', () => {
    expect(() => resolveConnection(context({ HATCHET_CLIENT_TOKEN: cloud }), { dataDir: 'nowhere' })).toThrow(
      /no engine runs on .*nowhere/,
    );
  });

  it('does not take a record whose process is none of ours for an engine', () => {
    writeFileSync(
      join(folder, 'engine.json'),
      JSON.stringify({ pid: process.pid, startedAt: '', version: '1', grpc: 'a:1', http: 'b:2', databaseUrl: '' }),
    );
    expect(() => resolveConnection(context(), { dataDir: '.' })).toThrow(/no engine runs/);
  });

  it('refuses a token that alone would have it sent over the network in plain text', () => {
    const plain = token({
      sub: 't',
      grpc_broadcast_address: 'engine.internal:7077',
      server_url: 'http://engine.internal:8888',
    });
    expect(() => resolveConnection(context({ HATCHET_CLIENT_TOKEN: plain }), {})).toThrow(
      expect.objectContaining({ exitCode: 2, remedy: expect.stringContaining('HATCHET_CLIENT_TLS_STRATEGY=none') }),
    );
    expect(
      resolveConnection(context({ HATCHET_CLIENT_TOKEN: plain, HATCHET_CLIENT_TLS_STRATEGY: 'none' }), {}).tls.strategy,
    ).toBe('none');
    expect(
      resolveConnection(context({ HATCHET_CLIENT_TOKEN: plain, HATCHET_CLIENT_API_URL: 'https://engine.internal' }), {})
        .tls.strategy,
    ).toBe('tls');
  });

  it('hands on what TLS needs', () => {
    const env = {
      HATCHET_CLIENT_TOKEN: cloud,
      HATCHET_CLIENT_TLS_STRATEGY: 'mtls',
      HATCHET_CLIENT_TLS_ROOT_CA_FILE: 'ca',
      HATCHET_CLIENT_TLS_CERT_FILE: 'cert',
      HATCHET_CLIENT_TLS_KEY_FILE: 'key',
      HATCHET_CLIENT_TLS_SERVER_NAME: 'name',
    };
    expect(resolveConnection(context(env), {}).tls).toEqual({
      strategy: 'mtls',
      caFile: 'ca',
      certFile: 'cert',
      keyFile: 'key',
      serverName: 'name',
    });
  });

  it.runIf(process.getuid !== undefined)('refuses a record that others could have written', () => {
    const open = join(folder, 'open');
    mkdirSync(open);
    writeFileSync(join(open, 'engine.json'), '{}');
    chmodSync(open, 0o777);
    expect(() => resolveConnection(context(), { dataDir: 'open' })).toThrow(
      /engine\.json is not to be trusted: others can write to its folder/,
    );
  });

  it('refuses what is no token', () => {
    expect(() => resolveConnection(context({ HATCHET_CLIENT_TOKEN: 'abc' }), {})).toThrow(/does not hold a token/);
  });
});

describe('which engine, with profiles', () => {
  const config = join(folder, 'config');
  const staging = token({
    sub: 'u',
    grpc_broadcast_address: 'staging.example:443',
    server_url: 'https://staging.example',
  });
  const stored = (chosen: string | undefined): void =>
    writeProfiles(
      { HATCHET_CONFIG_DIR: config },
      {
        chosen,
        byName: new Map([
          ['cloud', { token: cloud, tls: {} }],
          [
            'staging',
            { token: staging, address: 'there:1', apiUrl: 'http://there', namespace: 'st_', tls: { strategy: 'none' } },
          ],
        ]),
      },
    );
  const at = (env: Record<string, string> = {}) => ({ cwd: folder, env: { HATCHET_CONFIG_DIR: config, ...env } });

  it('takes the first that names one: token flag, --data-dir, --profile, HATCHET_PROFILE, HATCHET_CLIENT_TOKEN, the chosen one, the data folder', () => {
    stored('cloud');
    const everything = at({ HATCHET_PROFILE: 'staging', HATCHET_CLIENT_TOKEN: local });
    expect(resolveConnection(everything, { token: cloud, address: 'flag:1' })).toMatchObject({
      address: 'flag:1',
      token: cloud,
      source: '--token',
      profile: undefined,
    });
    expect(() => resolveConnection(everything, { dataDir: 'nowhere' })).toThrow(/no engine runs on .*nowhere/);
    expect(resolveConnection(everything, { profile: 'cloud' })).toMatchObject({
      token: cloud,
      source: 'profile cloud',
      profile: 'cloud',
    });
    expect(resolveConnection(everything, {})).toMatchObject({
      token: staging,
      source: 'profile staging',
      profile: 'staging',
    });
    expect(resolveConnection(at({ HATCHET_CLIENT_TOKEN: local }), {})).toMatchObject({
      token: local,
      source: 'HATCHET_CLIENT_TOKEN',
      profile: undefined,
    });
    expect(resolveConnection(at(), {})).toMatchObject({ token: cloud, source: 'profile cloud' });
    stored(undefined);
    expect(() => resolveConnection(at(), {})).toThrow(/no engine runs on the data folder/);
  });

  it('calls the data folder local, past everything in the environment', () => {
    stored('cloud');
    expect(() => resolveConnection(at({ HATCHET_CLIENT_TOKEN: cloud }), { profile: 'local' })).toThrow(
      /no engine runs on the data folder/,
    );
    expect(() => resolveConnection(at({ HATCHET_PROFILE: 'local' }), {})).toThrow(/no engine runs on the data folder/);
  });

  it('takes nothing of HATCHET_CLIENT_* for a profile, and flags in place of what it says', () => {
    stored(undefined);
    const env = at({
      HATCHET_CLIENT_HOST_PORT: 'other:1',
      HATCHET_CLIENT_API_URL: 'http://other',
      HATCHET_CLIENT_NAMESPACE: 'dev_',
      HATCHET_CLIENT_TLS_ROOT_CA_FILE: 'ca',
    });
    expect(resolveConnection(env, { profile: 'staging' })).toMatchObject({
      address: 'there:1',
      apiUrl: 'http://there',
      namespace: 'st_',
      tls: { strategy: 'none', caFile: undefined },
    });
    expect(resolveConnection(env, { profile: 'staging', address: 'flag:2', apiUrl: 'https://flag' })).toMatchObject({
      address: 'flag:2',
      apiUrl: 'https://flag',
    });
    expect(resolveConnection(env, { profile: 'cloud' })).toMatchObject({
      address: 'engine.example:443',
      apiUrl: 'https://api.example',
      namespace: undefined,
      tls: { strategy: 'tls' },
    });
  });

  it('refuses two engines at once, and a name that is not there', () => {
    stored(undefined);
    for (const flags of [{ token: cloud }, { dataDir: '.' }])
      expect(() => resolveConnection(at(), { ...flags, profile: 'cloud' })).toThrow(
        expect.objectContaining({ exitCode: 2 }),
      );
    expect(() => resolveConnection(at({ HATCHET_PROFILE: 'prod' }), {})).toThrow(
      expect.objectContaining({
        exitCode: 2,
        message: 'HATCHET_PROFILE names the profile "prod", which is not there',
        remedy: expect.stringContaining('local, cloud, staging'),
      }),
    );
  });

  it.runIf(process.getuid !== undefined)(
    'keeps them for the user alone, and does not believe what others could have written',
    () => {
      stored('cloud');
      const path = profilesPath({ HATCHET_CONFIG_DIR: config });
      expect([statSync(path).mode & 0o777, statSync(config).mode & 0o777]).toEqual([0o600, 0o700]);
      chmodSync(path, 0o666);
      expect(() => readProfiles({ HATCHET_CONFIG_DIR: config })).toThrow(/not to be trusted: others can write to it/);
      stored('cloud');
      expect(readProfiles({ HATCHET_CONFIG_DIR: config }).byName.get('staging')).toEqual({
        token: staging,
        address: 'there:1',
        apiUrl: 'http://there',
        namespace: 'st_',
        tls: { strategy: 'none' },
      });
      writeFileSync(path, '{"profiles":{"x":{}}}');
      expect(() => readProfiles({ HATCHET_CONFIG_DIR: config })).toThrow(/holds no profiles/);
    },
  );

  it('finds the folder as the system has it', () => {
    expect(profilesPath({ HATCHET_CONFIG_DIR: '/a', XDG_CONFIG_HOME: '/b', HOME: '/c' })).toBe('/a/profiles.json');
    expect(profilesPath({ XDG_CONFIG_HOME: '/b', HOME: '/c' })).toBe('/b/hatchet-ts/profiles.json');
    expect(profilesPath({ HOME: '/c' })).toBe('/c/.config/hatchet-ts/profiles.json');
  });
});
