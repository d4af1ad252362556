import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeJwt } from 'jose';
import { afterAll, describe, expect, it } from 'vitest';
import { runCli, type CliResult } from '../../helpers/run-cli.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const folder = makeTempFolder('tls commands');
const dataDir = join(folder, 'data');
const anyPorts = ['--grpc-port', '0', '--http-port', '0'];
const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/tls/${name}.pem`, import.meta.url));
const inFolder = (args: readonly string[], env: Record<string, string> = {}): Promise<CliResult> =>
  runCli([...args, '--data-dir', dataDir], { cwd: folder, env });

afterAll(async () => {
  await inFolder(['engine', 'stop']);
  rmSync(folder, { recursive: true, force: true });
});

describe('hatchet engine start', () => {
  it('refuses an address that other machines reach, with the reason and exit code 2', async () => {
    const refused = await inFolder(['engine', 'start', '--detach', '--host', '0.0.0.0', ...anyPorts]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/without TLS .* reads/);
    expect(refused.stderr).toContain('--insecure');
    expect(existsSync(join(dataDir, 'postgres'))).toBe(false);
  });

  it.each([
    [['--tls-cert', fixture('server')], 'both --tls-cert and --tls-key'],
    [['--tls-client-ca', fixture('authority')], 'Add --tls-cert'],
    [['--tls-cert', 'nowhere.pem', '--tls-key', fixture('server-key')], 'nowhere.pem cannot be read'],
    [['--tls-min-version', '1.1', '--tls-cert', fixture('server'), '--tls-key', fixture('server-key')], '1.2, 1.3'],
  ])('with %j says what is wrong', async (flags, message) => {
    const refused = await inFolder(['engine', 'start', '--detach', ...flags, ...anyPorts]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('commands and an engine with TLS', () => {
  it('find it by its data folder, whose certificate they trust', async () => {
    const started = await inFolder(['engine', 'start', '--detach', ...anyPorts], {
      HATCHET_ENGINE_TLS_CERT: fixture('certificate'),
      HATCHET_ENGINE_TLS_KEY: fixture('key'),
    });
    expect([started.code, started.stdout]).toEqual([0, expect.stringContaining(fixture('certificate'))]);
    // By gRPC and by REST, whatever the environment says of another engine.
    for (const list of ['runs', 'webhooks'])
      expect(await inFolder([list, 'list', '-o', 'json'], { HATCHET_CLIENT_TLS_STRATEGY: 'none' })).toMatchObject({
        code: 0,
      });
    const token = (await inFolder(['token', 'create'])).stdout.trim();
    expect(decodeJwt(token)['server_url']).toMatch(/^https:/);
    const remote = { HATCHET_CLIENT_TOKEN: token };
    expect(await runCli(['runs', 'list'], { cwd: '/', env: remote })).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('HATCHET_CLIENT_TLS_ROOT_CA_FILE'),
    });
    for (const list of ['runs', 'webhooks'])
      expect(
        await runCli([list, 'list'], {
          cwd: '/',
          env: { ...remote, HATCHET_CLIENT_TLS_ROOT_CA_FILE: fixture('certificate') },
        }),
      ).toMatchObject({ code: 0 });
    expect((await inFolder(['engine', 'stop'])).code).toBe(0);
  });

  it('show their own certificate where it asks for one', async () => {
    const tls = [
      '--tls-cert',
      fixture('server'),
      '--tls-key',
      fixture('server-key'),
      '--tls-client-ca',
      fixture('authority'),
    ];
    expect((await inFolder(['engine', 'start', '--detach', ...tls, ...anyPorts])).code).toBe(0);
    expect(JSON.parse(readFileSync(join(dataDir, 'engine.json'), 'utf8'))).toMatchObject({
      tls: { clientCertificates: true },
    });
    const authority = { HATCHET_CLIENT_TLS_ROOT_CA_FILE: fixture('authority') };
    expect(await inFolder(['runs', 'list'], authority)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('HATCHET_CLIENT_TLS_CERT_FILE'),
    });
    const own = {
      ...authority,
      HATCHET_CLIENT_TLS_CERT_FILE: fixture('client'),
      HATCHET_CLIENT_TLS_KEY_FILE: fixture('client-key'),
    };
    for (const list of ['runs', 'webhooks']) expect(await inFolder([list, 'list'], own)).toMatchObject({ code: 0 });
    const bench = await inFolder(
      ['bench', '--duration', '300ms', '--warmup', '100ms', '--in-flight', '5', '-o', 'json'],
      own,
    );
    expect([bench.code, bench.stderr]).toEqual([0, expect.not.stringContaining('error')]);
  });
});
