import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
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
    expect(resolveConnection(context({ HATCHET_CLIENT_TOKEN: local }), {})).toMatchObject({ address: '127.0.0.1:7077', tls: { strategy: 'none' }, apiUrl: 'http://127.0.0.1:8888' });
    expect(resolveConnection(context({ HATCHET_CLIENT_TOKEN: cloud }), {})).toMatchObject({ address: 'engine.example:443', tls: { strategy: 'tls' } });
  });

  it('puts flags before the environment, and the environment before the token', () => {
    const env = { HATCHET_CLIENT_TOKEN: cloud, HATCHET_CLIENT_HOST_PORT: 'other:1', HATCHET_CLIENT_TLS_STRATEGY: 'none', HATCHET_CLIENT_NAMESPACE: 'dev_' };
    expect(resolveConnection(context(env), {})).toMatchObject({ address: 'other:1', tls: { strategy: 'none' }, namespace: 'dev_' });
    expect(resolveConnection(context(env), { address: 'flag:2', token: local })).toMatchObject({ address: 'flag:2', token: local });
  });

  it('puts an explicit data folder before the environment', () => {
    expect(() => resolveConnection(context({ HATCHET_CLIENT_TOKEN: cloud }), { dataDir: 'nowhere' })).toThrow(/no engine runs on .*nowhere/);
  });

  it('does not take a record whose process is none of ours for an engine', () => {
    writeFileSync(join(folder, 'engine.json'), JSON.stringify({ pid: process.pid, startedAt: '', version: '1', grpc: 'a:1', http: 'b:2', databaseUrl: '' }));
    expect(() => resolveConnection(context(), { dataDir: '.' })).toThrow(/no engine runs/);
  });

  it('refuses a token that alone would have it sent over the network in plain text', () => {
    const plain = token({ sub: 't', grpc_broadcast_address: 'engine.internal:7077', server_url: 'http://engine.internal:8888' });
    expect(() => resolveConnection(context({ HATCHET_CLIENT_TOKEN: plain }), {})).toThrow(expect.objectContaining({ exitCode: 2, remedy: expect.stringContaining('HATCHET_CLIENT_TLS_STRATEGY=none') }));
    expect(resolveConnection(context({ HATCHET_CLIENT_TOKEN: plain, HATCHET_CLIENT_TLS_STRATEGY: 'none' }), {}).tls.strategy).toBe('none');
    expect(resolveConnection(context({ HATCHET_CLIENT_TOKEN: plain, HATCHET_CLIENT_API_URL: 'https://engine.internal' }), {}).tls.strategy).toBe('tls');
  });

  it('hands on what TLS needs', () => {
    const env = { HATCHET_CLIENT_TOKEN: cloud, HATCHET_CLIENT_TLS_STRATEGY: 'mtls', HATCHET_CLIENT_TLS_ROOT_CA_FILE: 'ca', HATCHET_CLIENT_TLS_CERT_FILE: 'cert', HATCHET_CLIENT_TLS_KEY_FILE: 'key', HATCHET_CLIENT_TLS_SERVER_NAME: 'name' };
    expect(resolveConnection(context(env), {}).tls).toEqual({ strategy: 'mtls', caFile: 'ca', certFile: 'cert', keyFile: 'key', serverName: 'name' });
  });

  it.runIf(process.getuid !== undefined)('refuses a record that others could have written', () => {
    const open = join(folder, 'open');
    mkdirSync(open);
    writeFileSync(join(open, 'engine.json'), '{}');
    chmodSync(open, 0o777);
    expect(() => resolveConnection(context(), { dataDir: 'open' })).toThrow(/engine\.json is not to be trusted: others can write to its folder/);
  });

  it('refuses what is no token', () => {
    expect(() => resolveConnection(context({ HATCHET_CLIENT_TOKEN: 'abc' }), {})).toThrow(/does not hold a token/);
  });
});
