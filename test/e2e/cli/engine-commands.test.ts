import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Hatchet } from '../../../sdk/index.ts';
import { packageRoot } from '../../helpers/engine-process.ts';
import { isListening, processesIn } from '../../helpers/left-behind.ts';
import { CliSession, cleanEnv, runCli } from '../../helpers/run-cli.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const folder = makeTempFolder('engine commands');
const dataDir = join(folder, 'data');
const anyPorts = ['--grpc-port', '0', '--http-port', '0'];
let ports = { grpc: 0, http: 0 };

const inFolder = (args: readonly string[]) => runCli([...args, '--data-dir', dataDir], { cwd: folder });
const portOf = (address: unknown): number => Number(String(address).split(':').at(-1));

afterAll(async () => {
  await inFolder(['engine', 'stop']);
  rmSync(folder, { recursive: true, force: true });
});

describe('an engine by hand', () => {
  it('is stopped at first', async () => {
    const status = await inFolder(['engine', 'status']);
    expect(status.code).toBe(3);
    const runs = await inFolder(['runs', 'list']);
    expect(runs.code).toBe(3);
    expect(runs.stderr).toContain('hatchet engine start');
  });

  it('starts detached, from any folder, and prints where it is without secrets', async () => {
    const started = await inFolder(['engine', 'start', '--detach', '-o', 'json', ...anyPorts]);
    expect(started.stderr).not.toContain('error');
    expect(started.code).toBe(0);
    const printed: Record<string, unknown> = JSON.parse(started.stdout);
    expect(printed).toMatchObject({
      grpc: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      http: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      version: '0.1.0',
    });
    ports = { grpc: portOf(printed['grpc']), http: portOf(printed['http']) };
    const record = readFileSync(join(dataDir, 'engine.json'), 'utf8');
    const password = new URL(String(JSON.parse(record).databaseUrl)).password;
    expect(password).not.toBe('');
    expect(started.stdout).not.toContain(password);
    for (const name of ['engine.json', 'token', 'engine.log'])
      expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o600);
  });

  it('knows its status, and refuses a second start with exit code 1', async () => {
    const status = await inFolder(['engine', 'status', '-o', 'json']);
    expect(status.code).toBe(0);
    expect(JSON.parse(status.stdout)).toMatchObject({ running: true });
    const second = await inFolder(['engine', 'start', '--detach']);
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/runs on .* already \(pid \d+/);
  });

  it('gives a token that works from elsewhere, until it is revoked', async () => {
    const created = await inFolder(['token', 'create', '--name', 'ci']);
    const token = created.stdout.trim();
    expect(token.split('.')).toHaveLength(3);
    const env = { HATCHET_CLIENT_TOKEN: token };
    expect(await runCli(['workflows', 'list', '-o', 'json'], { cwd: '/', env })).toMatchObject({
      code: 0,
      stdout: '{"rows":[],"next":null}\n',
    });
    // Also from a file or stdin, which nobody sees in the list of processes.
    const file = join(folder, 'token');
    writeFileSync(file, `${token}\n`);
    const list = ['workflows', 'list', '-o', 'json'];
    for (const given of [
      ['--token-file', file],
      ['--token-file', '-'],
      ['--token', '-'],
    ])
      expect(await runCli([...list, ...given], { cwd: '/', input: token })).toMatchObject({ code: 0, stderr: '' });
    expect(await runCli([...list, '--token', token], { cwd: '/' })).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/warning .*--token-file/),
    });
    expect(
      await runCli(['trigger', 'workflow', 'x', '--token', '-', '--input-file', '-'], { cwd: '/', input: token }),
    ).toMatchObject({ code: 2, stderr: expect.stringContaining('stdin cannot hold') });
    expect(await runCli([...list, '--token-file', '/no/such/file'], { cwd: '/' })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--token-file'),
    });
    const listed: { rows: { id: string; name: string }[] } = JSON.parse(
      (await inFolder(['token', 'list', '-o', 'json'])).stdout,
    );
    const id = listed.rows.find((row) => row.name === 'ci')?.id ?? '';
    expect((await inFolder(['token', 'revoke', id])).code).toBe(0);
    await expect.poll(async () => (await runCli(['workflows', 'list'], { cwd: '/', env })).code).toBe(3);
  });

  it('names the owner of a taken port, exit code 2', async () => {
    const other = join(folder, 'other');
    const refused = await runCli(
      ['engine', 'start', '--detach', '--data-dir', other, '--grpc-port', String(ports.grpc)],
      { cwd: folder },
    );
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(new RegExp(`port ${ports.grpc} is taken by pid \\d+`));
    expect(existsSync(other)).toBe(false);
  });

  it('shows the migrations, and does not take them back under a running engine', async () => {
    const status: { rows: { name: string; appliedAt: string | null }[] } = JSON.parse(
      (await inFolder(['migrate', 'status', '-o', 'json'])).stdout,
    );
    expect(status.rows[0]).toMatchObject({ name: '0001_core', changed: false });
    expect((await inFolder(['migrate', 'verify'])).code).toBe(0);
    expect((await inFolder(['migrate', 'down'])).stderr).toContain('hatchet engine stop');
  });

  it('answers bad input with its exit code', async () => {
    const codes = async (args: readonly string[], stdin?: string): Promise<[number | null, string]> => {
      const { code, stderr } = await runCli([...args, '--data-dir', dataDir], {
        cwd: folder,
        ...(stdin === undefined ? {} : { input: stdin }),
      });
      return [code, stderr];
    };
    expect(await codes(['trigger', 'workflow', 'nope'])).toEqual([4, expect.stringContaining('no workflow "nope"')]);
    expect(await codes(['trigger', 'workflow', 'x', '--input', '{"a":}'])).toEqual([
      2,
      expect.stringContaining('line 1, column 6'),
    ]);
    expect(await codes(['trigger', 'workflow', 'x', '--input', String.raw`{"a":"\u0000"}`])).toEqual([
      2,
      expect.stringContaining('NUL'),
    ]);
    expect(
      await codes(['trigger', 'workflow', 'x', '--input-file', '-'], JSON.stringify('x'.repeat(5 * 1024 * 1024))),
    ).toEqual([2, expect.stringContaining('4 MiB')]);
    expect(await codes(['trigger', 'workflow', 'x', '--priority', '9'])).toEqual([
      2,
      expect.stringContaining('1 to 3'),
    ]);
    expect(await codes(['runs', 'get', '01980000-0000-7000-8000-000000000000'])).toEqual([4, expect.any(String)]);
    expect(
      (await runCli(['runs', 'list', '--address', '127.0.0.1:1', '--data-dir', dataDir], { cwd: folder })).code,
    ).toBe(3);
    expect((await runCli(['runs', 'list'], { cwd: folder, env: { HATCHET_CLIENT_TOKEN: 'abc' } })).code).toBe(3);
    expect((await runCli(['runs', 'lst'], { cwd: folder })).code).toBe(2);
    expect((await runCli(['--help'], { cwd: folder })).code).toBe(0);
  });

  it('measures itself: the numbers of a load test add up', async () => {
    const result = await inFolder([
      'bench',
      '--duration',
      '1s',
      '--warmup',
      '200ms',
      '--in-flight',
      '20',
      '--workflow',
      'dag',
      '-o',
      'json',
    ]);
    expect(result.stderr).not.toContain('error');
    expect(result.code).toBe(0);
    const numbers: {
      tasks: number;
      lost: number;
      completed_per_s: number;
      latency_ms: Record<string, { p50: number; p99: number }>;
      cpu_us_per_task: Record<string, number | null>;
    } = JSON.parse(result.stdout);
    expect(numbers.lost).toBe(0);
    expect(numbers.tasks).toBeGreaterThan(0);
    expect(numbers.tasks % 4).toBe(0);
    expect(numbers.latency_ms['complete']?.p99).toBeGreaterThanOrEqual(
      numbers.latency_ms['start']?.p50 ?? Number.POSITIVE_INFINITY,
    );
    expect(Object.keys(numbers.cpu_us_per_task)).toEqual(['engine', 'postgres', 'worker', 'client']);
    for (const value of Object.values(numbers.cpu_us_per_task)) expect(value).not.toBeNull();
    expect(processesIn('bench-worker')).toEqual([]);
  });

  it('stops though a client is frozen with its streams open and full', async () => {
    const dataDir = join(folder, 'frozen');
    const started = await runCli(['engine', 'start', '--detach', '--data-dir', dataDir, ...anyPorts], { cwd: folder });
    expect(started.code).toBe(0);
    const env = {
      ...cleanEnv(),
      HATCHET_CLIENT_TOKEN: readFileSync(join(dataDir, 'token'), 'utf8').trim(),
      HATCHET_CLIENT_TLS_STRATEGY: 'none',
    };
    const client = spawn(process.execPath, [join(packageRoot, 'test/fixtures/frozen-client/worker.mjs')], {
      cwd: packageRoot,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(client.stdout, 'data');
      client.kill('SIGSTOP');
      // What is sent to it fills what the system keeps for it.
      const hatchet = Hatchet.init({
        token: env.HATCHET_CLIENT_TOKEN,
        tlsConfig: { strategy: 'none' },
        logLevel: 'OFF',
      });
      for (let run = 0; run < 20; run += 1) await hatchet.runNoWait('waits', { text: 'x'.repeat(1_000_000) });
      hatchet.close();
      expect(await runCli(['engine', 'stop', '--data-dir', dataDir], { cwd: folder })).toMatchObject({
        code: 0,
        stderr: '',
      });
    } finally {
      client.kill('SIGKILL');
    }
  });

  it('stops, twice, and leaves nothing', async () => {
    expect((await inFolder(['engine', 'stop'])).code).toBe(0);
    expect((await inFolder(['engine', 'stop'])).code).toBe(0);
    expect(existsSync(join(dataDir, 'engine.json'))).toBe(false);
    expect(processesIn(folder)).toEqual([]);
    expect(isListening(ports.grpc)).toBe(false);
    expect(isListening(ports.http)).toBe(false);
  });

  it('does not take the record of a dead engine, or of a pid that is another program now, for a running one', async () => {
    const record = {
      pid: process.pid,
      startedAt: new Date().toISOString(),
      version: '0.1.0',
      grpc: '127.0.0.1:1',
      http: '127.0.0.1:2',
      databaseUrl: 'postgres://x',
    };
    writeFileSync(join(dataDir, 'engine.json'), JSON.stringify(record));
    expect((await inFolder(['engine', 'status'])).code).toBe(3);
    expect((await inFolder(['engine', 'stop'])).code).toBe(0);
    expect(existsSync(join(dataDir, 'engine.json'))).toBe(false);
  });

  it('runs in the foreground until SIGTERM, and ends with 0', async () => {
    const engine = new CliSession(['engine', 'start', '--data-dir', dataDir, ...anyPorts], { cwd: folder });
    await expect.poll(() => engine.stdout).toContain('gRPC');
    expect(await engine.end('SIGTERM')).toBe(0);
    expect(processesIn(folder)).toEqual([]);
  });

  it('refuses a port that another program holds', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(ports.http, '127.0.0.1', resolve));
    const refused = await inFolder([
      'engine',
      'start',
      '--detach',
      '--grpc-port',
      '0',
      '--http-port',
      String(ports.http),
    ]);
    await new Promise((resolve) => server.close(resolve));
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(`pid ${process.pid}`);
  });
});
