import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { applyNamespace, resolveConfig } from '../../../sdk/config/client-config.ts';
import { findLocalEngine } from '../../../sdk/config/local-engine.ts';
import { callRest } from '../../../sdk/connection/rest.ts';
import { readTokenClaims } from '../../../sdk/config/token-claims.ts';

function token(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part(claims)}.signature`;
}

const full = token({ sub: 'tenant-1', server_url: 'http://claims:1/', grpc_broadcast_address: 'claims:2' });
const none = (): undefined => undefined;

describe('resolveConfig', () => {
  it('takes options before the environment before the claims', () => {
    const environment = {
      HATCHET_CLIENT_TOKEN: full,
      HATCHET_CLIENT_HOST_PORT: 'env:3',
      HATCHET_CLIENT_NAMESPACE: 'Env',
      HATCHET_CLIENT_LOG_LEVEL: 'debug',
    };
    expect(resolveConfig({ hostPort: 'option:4' }, environment, none)).toMatchObject({
      hostPort: 'option:4',
      apiUrl: 'http://claims:1',
      tenantId: 'tenant-1',
      namespace: 'env_',
      logLevel: 'DEBUG',
    });
    expect(resolveConfig({}, environment, none)).toMatchObject({ hostPort: 'env:3' });
    expect(resolveConfig({ token: full }, {}, none)).toMatchObject({
      hostPort: 'claims:2',
      namespace: '',
      logLevel: 'INFO',
    });
  });

  it('has a health port where one is asked for', () => {
    const environment = {
      HATCHET_CLIENT_WORKER_HEALTHCHECK_ENABLED: 'true',
      HATCHET_CLIENT_WORKER_HEALTHCHECK_PORT: '9001',
      HATCHET_CLIENT_WORKER_HEALTHCHECK_EVENT_LOOP_BLOCK_THRESHOLD_SECONDS: '2.5',
    };
    expect(resolveConfig({ token: full }, {}, none).healthcheck).toBeUndefined();
    expect(
      resolveConfig({ token: full }, { HATCHET_CLIENT_WORKER_HEALTHCHECK_PORT: '9001' }, none).healthcheck,
    ).toBeUndefined();
    expect(resolveConfig({ token: full }, environment, none).healthcheck).toEqual({
      port: 9001,
      bindAddress: '0.0.0.0',
      blockThresholdMs: 2_500,
    });
    expect(resolveConfig({ token: full, healthcheck: { enabled: true } }, {}, none).healthcheck).toEqual({
      port: 8001,
      bindAddress: '0.0.0.0',
      blockThresholdMs: 5_000,
    });
    expect(
      resolveConfig({ token: full, healthcheck: { enabled: false } }, environment, none).healthcheck,
    ).toBeUndefined();
    for (const [name, value] of [
      ['PORT', '80a'],
      ['PORT', '0'],
      ['EVENT_LOOP_BLOCK_THRESHOLD_SECONDS', 'soon'],
    ]) {
      const wrong = { ...environment, [`HATCHET_CLIENT_WORKER_HEALTHCHECK_${name ?? ''}`]: value };
      expect(() => resolveConfig({ token: full }, wrong, none)).toThrow(
        expect.objectContaining({
          code: 'NOT_CONFIGURED',
          message: expect.stringContaining(`HATCHET_CLIENT_WORKER_HEALTHCHECK_${name ?? ''}`),
        }),
      );
    }
  });

  it('reads the official spelling', () => {
    expect(
      resolveConfig(
        {
          token: full,
          host_port: 'a:1',
          api_url: 'http://b',
          tls_config: { tls_strategy: 'none' },
          log_level: 'ERROR',
        },
        {},
        none,
      ),
    ).toMatchObject({
      hostPort: 'a:1',
      apiUrl: 'http://b',
      tls: { strategy: 'none' },
      logLevel: 'ERROR',
    });
  });

  it('reads the labels that are preset for every worker', () => {
    const labelled = (labels: string): unknown =>
      resolveConfig({ token: full }, { HATCHET_CLIENT_WORKER_PRESET_LABELS: labels }, none).workerPresetLabels;
    expect(labelled('{"region":"eu","size":2}')).toEqual({ region: 'eu', size: '2' });
    expect(resolveConfig({ token: full }, {}, none).workerPresetLabels).toEqual({});
    for (const wrong of ['region=eu', '[]', '1', 'null'])
      expect(() => labelled(wrong)).toThrow(expect.objectContaining({ code: 'NOT_CONFIGURED' }));
  });

  it('takes the local engine only where no token is given', () => {
    const local = { token: full, hostPort: '127.0.0.1:5', apiUrl: 'http://127.0.0.1:6', tls: undefined };
    expect(resolveConfig({}, {}, () => local)).toMatchObject({
      hostPort: '127.0.0.1:5',
      apiUrl: 'http://127.0.0.1:6',
      tls: { strategy: 'none' },
    });
    expect(resolveConfig({ token: full }, {}, () => local)).toMatchObject({ hostPort: 'claims:2' });
  });

  it('speaks plainly to the local engine, whatever address it listens on', () => {
    const local = { token: full, hostPort: '0.0.0.0:5', apiUrl: 'http://0.0.0.0:6', tls: undefined };
    expect(resolveConfig({}, {}, () => local).tls.strategy).toBe('none');
    expect(resolveConfig({ hostPort: 'engine.example.com:443' }, {}, () => local).tls.strategy).toBe('tls');
  });

  it('speaks TLS to the local engine that does, and trusts the certificate that it serves', () => {
    const certFile = fileURLToPath(new URL('../../fixtures/tls/certificate.pem', import.meta.url));
    const local = {
      token: full,
      hostPort: '0.0.0.0:5',
      apiUrl: 'https://0.0.0.0:6',
      tls: { certFile, clientCertificates: false },
    };
    expect(resolveConfig({}, {}, () => local).tls).toMatchObject({
      strategy: 'tls',
      caFile: certFile,
      serverName: 'localhost',
    });
    expect(resolveConfig({}, {}, () => ({ ...local, hostPort: '127.0.0.1:5' })).tls).toMatchObject({
      serverName: undefined,
    });
    expect(resolveConfig({}, {}, () => ({ ...local, tls: { certFile, clientCertificates: true } })).tls.strategy).toBe(
      'mtls',
    );
  });

  it('is not talked out of TLS by a token, nor into sending it over the network in plain text', async () => {
    const plain = token({
      sub: 'tenant-1',
      server_url: 'http://engine.internal:8888',
      grpc_broadcast_address: 'engine.internal:7077',
    });
    const config = resolveConfig({ token: plain }, {}, none);
    expect(config.tls.strategy).toBe('tls');
    await expect(callRest(config, 'GET', '/api/v1/any')).rejects.toMatchObject({
      code: 'NOT_CONFIGURED',
      message: expect.stringContaining('HATCHET_CLIENT_TLS_STRATEGY=none'),
    });
    expect(resolveConfig({ token: plain, hostPort: 'localhost:1' }, {}, none)).toMatchObject({
      tls: { strategy: 'none' },
      isApiPlainByToken: true,
    });
    for (const environment of [
      { HATCHET_CLIENT_TLS_STRATEGY: 'none' },
      { HATCHET_CLIENT_API_URL: 'http://engine.internal:8888' },
    ])
      expect(resolveConfig({ token: plain }, environment, none).isApiPlainByToken).toBe(false);
    const secure = token({ sub: 'tenant-1', server_url: 'https://127.0.0.1:1', grpc_broadcast_address: '127.0.0.1:2' });
    expect(resolveConfig({ token: secure }, {}, none)).toMatchObject({
      tls: { strategy: 'tls' },
      isApiPlainByToken: false,
    });
  });

  it('tells a text that is no token from a token without a tenant', () => {
    expect(() => resolveConfig({}, { HATCHET_CLIENT_TOKEN: 'secret' }, none)).toThrow(
      'HATCHET_CLIENT_TOKEN does not hold a token. Make one with',
    );
    expect(() => resolveConfig({ token: 'secret' }, {}, none)).toThrow('the option `token` does not hold a token');
  });

  it.each([
    ['127.0.0.1:7077', 'none'],
    ['localhost:7077', 'none'],
    ['[::1]:7077', 'none'],
    ['engine.example.com:443', 'tls'],
    ['localhost.example.com:443', 'tls'],
  ])('speaks to %s with %s', (hostPort, strategy) => {
    expect(resolveConfig({ token: full, hostPort }, {}, none).tls.strategy).toBe(strategy);
  });

  it.each([
    ['no token', {}],
    ['a text that is no token', { HATCHET_CLIENT_TOKEN: 'secret' }],
    [
      'a token without a tenant',
      { HATCHET_CLIENT_TOKEN: token({ server_url: 'http://a', grpc_broadcast_address: 'b:1' }) },
    ],
    ['a token without addresses', { HATCHET_CLIENT_TOKEN: token({ sub: 'tenant' }) }],
    ['an unknown TLS strategy', { HATCHET_CLIENT_TOKEN: full, HATCHET_CLIENT_TLS_STRATEGY: 'some' }],
  ])('refuses %s, and says what to do', (_what, environment) => {
    expect(() => resolveConfig({}, environment, none)).toThrow(
      expect.objectContaining({ code: 'NOT_CONFIGURED', remedy: expect.stringMatching(/\w/) }),
    );
  });

  it('puts a namespace before a name once', () => {
    expect(applyNamespace('simple', 'dev_')).toBe('dev_simple');
    expect(applyNamespace('dev_simple', 'dev_')).toBe('dev_simple');
    expect(applyNamespace('simple', '')).toBe('simple');
  });
});

describe('readTokenClaims', () => {
  it.each(['', 'a', 'a.b', 'a.b.c', 'a.b.c.d', `a.${Buffer.from('3').toString('base64url')}.c`])(
    'knows that %j is no token',
    (text) => {
      expect(readTokenClaims(text)).toBeUndefined();
    },
  );
});

describe('findLocalEngine', () => {
  let folder: string | undefined;
  afterEach(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  it('finds the nearest ancestor with a token', () => {
    folder = mkdtempSync(join(tmpdir(), 'hatchet-sdk-'));
    const inner = join(folder, 'project', 'src', 'deep');
    mkdirSync(inner, { recursive: true });
    expect(findLocalEngine(inner)).toBeUndefined();
    mkdirSync(join(folder, 'project', '.hatchet'));
    writeFileSync(join(folder, 'project', '.hatchet', 'token'), `${full}\n`);
    expect(findLocalEngine(inner)).toEqual({ token: full, hostPort: undefined, apiUrl: undefined, tls: undefined });
    writeFileSync(
      join(folder, 'project', '.hatchet', 'engine.json'),
      JSON.stringify({ grpc: { host: '127.0.0.1', port: 7 }, http: { host: '127.0.0.1', port: 8 } }),
    );
    expect(findLocalEngine(inner)).toEqual({ token: full, hostPort: '127.0.0.1:7', apiUrl: 'http://127.0.0.1:8' });
    writeFileSync(join(folder, 'project', '.hatchet', 'engine.json'), '{broken');
    expect(findLocalEngine(inner)).toEqual({ token: full, hostPort: undefined, apiUrl: undefined, tls: undefined });
  });

  it.runIf(process.getuid !== undefined)('believes no folder above in which others may have put a token', () => {
    folder = mkdtempSync(join(tmpdir(), 'hatchet-sdk-'));
    const data = join(folder, '.hatchet');
    mkdirSync(data);
    writeFileSync(join(data, 'token'), full);
    chmodSync(data, 0o777);
    expect(() => findLocalEngine(data)).toThrow(
      expect.objectContaining({ code: 'NOT_CONFIGURED', message: expect.stringContaining('others can write') }),
    );
    chmodSync(data, 0o700);
    rmSync(join(data, 'token'));
    symlinkSync('/etc/hostname', join(data, 'token'));
    expect(() => findLocalEngine(data)).toThrow(/not a regular file/);
  });
});
