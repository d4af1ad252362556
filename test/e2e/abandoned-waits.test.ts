import { spawn, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Hatchet } from '../../sdk/index.ts';
import { ended, packageRoot, spawnEngine, type EngineChild } from '../helpers/engine-process.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';

const folder = makeTempFolder('abandoned-waits');
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let engine: EngineChild;
let hatchet: Hatchet;
let worker: ChildProcess;
let said = '';

beforeAll(async () => {
  engine = await spawnEngine({ dataDir: join(folder, 'data'), grpcPort: 0, httpPort: 0, logLevel: 'error' });
  hatchet = Hatchet.init({ token: engine.ready.token, logger: () => quiet });
  const env = { ...process.env, HATCHET_CLIENT_TOKEN: engine.ready.token, HATCHET_CLIENT_LOG_LEVEL: 'OFF' };
  worker = spawn(process.execPath, [join(packageRoot, 'test/fixtures/abandoned-waits/worker.mjs')], { cwd: packageRoot, stdio: ['ignore', 'ignore', 'pipe'], env });
  worker.stderr?.on('data', (data: Buffer) => (said += data.toString()));
  await vi.waitFor(async () => expect((await hatchet.workers.list()).rows).toMatchObject([{ status: 'ACTIVE' }]), { timeout: 20_000, interval: 50 });
});

afterAll(async () => {
  hatchet.close();
  worker.kill('SIGKILL');
  await ended(worker);
  await engine.end('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

async function isAlive(): Promise<void> {
  expect(await hatchet.run('pid', {})).toEqual({ pid: { pid: worker.pid } });
}

/** Cancels a run once its children run. */
async function cancelled(name: string, children: number): Promise<void> {
  const { workflowRunId: id } = await hatchet.runNoWait(name, {});
  await vi.waitFor(async () => expect((await hatchet.runs.list({ parentTaskRunExternalId: id })).rows?.filter(({ status }) => status === 'RUNNING')).toHaveLength(children), { timeout: 20_000, interval: 50 });
  await hatchet.runs.cancel({ ids: [id] });
  await vi.waitFor(async () => expect(await hatchet.runs.get_status(id)).toBe('CANCELLED'), { timeout: 20_000, interval: 20 });
}

describe('a worker', () => {
  it('outlives a cancelled durable task that had begun more than it waited for', async () => {
    await cancelled('durable', 1);
    await isAlive();
  });

  it('outlives a cancelled task that had begun more than it waited for', async () => {
    await cancelled('plain', 3);
    await isAlive();
  });

  it('tells a task of the failure of a child when its code comes to it', async () => {
    expect(await hatchet.run('late', {})).toEqual({ late: { heard: expect.stringContaining('the child broke') } });
    expect(await hatchet.run('late-plain', {})).toEqual({ 'late-plain': { heard: expect.stringContaining('the child broke') } });
    await isAlive();
  });

  it('ends as any program does for a rejection of its own that nobody waits for', async () => {
    expect(said).toBe('');
    await hatchet.runNoWait('careless', {});
    await ended(worker);
    expect(worker.exitCode).toBe(1);
    expect(said).toContain('nobody waits for this');
  });
});
