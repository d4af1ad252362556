import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { patient } from '../../helpers/patient.ts';
import { runCli, type CliResult } from '../../helpers/run-cli.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const folder = makeTempFolder('keys commands');
const dataDir = join(folder, 'data');
const anyPorts = ['--grpc-port', '0', '--http-port', '0'];
const inFolder = (args: readonly string[], input?: string): Promise<CliResult> =>
  runCli([...args, '--data-dir', dataDir], { cwd: folder, ...(input === undefined ? {} : { input }) });
const withToken = (token: string): Promise<CliResult> =>
  runCli(['runs', 'list'], { cwd: '/', env: { HATCHET_CLIENT_TOKEN: token } });

async function keys(): Promise<{ id: string; signs: boolean; tokens: number; retiredAt: string | null }[]> {
  return JSON.parse((await inFolder(['keys', 'list', '-o', 'json'])).stdout).rows;
}

beforeAll(async () => {
  expect((await inFolder(['engine', 'start', '--detach', ...anyPorts])).code).toBe(0);
});

afterAll(async () => {
  await inFolder(['engine', 'stop']);
  rmSync(folder, { recursive: true, force: true });
});

describe('hatchet keys, beside an engine that runs', () => {
  it('rotate: new tokens are of the new key, and both are good without a restart', async () => {
    const old = (await inFolder(['token', 'create'])).stdout.trim();
    const before = await keys();
    expect(before).toMatchObject([{ signs: true, tokens: 2 }]);
    const made = (await inFolder(['keys', 'rotate'])).stdout.trim();
    const fresh = (await inFolder(['token', 'create'])).stdout.trim();
    await expect.poll(async () => (await withToken(fresh)).code, patient).toBe(0);
    expect((await withToken(old)).code).toBe(0);
    expect(await keys()).toMatchObject([
      { id: made, signs: true, tokens: 1 },
      { id: before[0]?.id, signs: false, tokens: 2 },
    ]);

    expect(await inFolder(['keys', 'retire', made])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('hatchet keys rotate'),
    });
    expect((await inFolder(['keys', 'retire', 'none'])).code).toBe(4);
    const retired = before[0]?.id ?? '';
    expect(await inFolder(['keys', 'retire', retired])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/2 good tokens end[\s\S]*--yes/),
    });
    expect((await withToken(old)).code).toBe(0);
    expect((await inFolder(['keys', 'retire', retired, '--yes'])).code).toBe(0);
    await expect.poll(async () => (await withToken(old)).code, patient).toBe(3);
    expect((await withToken(fresh)).code).toBe(0);
    // The data folder's own token was of that key too: programs beside the engine go on.
    await expect.poll(async () => (await inFolder(['runs', 'list'])).code, patient).toBe(0);
    expect(await keys()).toMatchObject([
      { signs: true, tokens: 2 },
      { id: retired, retiredAt: expect.any(String) },
    ]);
  });
});

describe('the secret key', () => {
  it('of another data folder is refused, until it is given', async () => {
    const { databaseUrl }: { databaseUrl: string } = JSON.parse(readFileSync(join(dataDir, 'engine.json'), 'utf8'));
    const second = join(folder, 'second');
    const start = (...more: string[]): Promise<CliResult> =>
      runCli(['engine', 'start', '--detach', '--data-dir', second, ...anyPorts, ...more], {
        cwd: folder,
        env: { DATABASE_URL: databaseUrl },
      });
    expect(await start()).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/sealed under the key [0-9a-f]{16}[\s\S]*--secret-key-file/),
    });
    expect(existsSync(join(second, 'secret.key'))).toBe(false);
    expect(await start('--secret-key-file', join(dataDir, 'secret.key'))).toMatchObject({ code: 0 });
    expect((await runCli(['token', 'create', '--data-dir', second], { cwd: folder })).code).toBe(0);
    expect((await runCli(['engine', 'stop', '--data-dir', second], { cwd: folder })).code).toBe(0);
  });

  it('that is lost ends the start, and reset begins afresh', async () => {
    expect(await inFolder(['keys', 'reset', '--yes'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('engine stop'),
    });
    await inFolder(['engine', 'stop']);
    mkdirSync(join(folder, 'backup'));
    copyFileSync(join(dataDir, 'secret.key'), join(folder, 'backup', 'secret.key'));
    rmSync(join(dataDir, 'secret.key'));
    expect(await inFolder(['engine', 'start', '--detach', ...anyPorts])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('hatchet keys reset'),
    });
    expect(await inFolder(['keys', 'reset'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    expect(await inFolder(['keys', 'reset', '--yes'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/Deleted 1 signing keys/),
    });
    expect((await inFolder(['engine', 'start', '--detach', ...anyPorts])).code).toBe(0);
    expect((await inFolder(['runs', 'list'])).code).toBe(0);
  });
});
