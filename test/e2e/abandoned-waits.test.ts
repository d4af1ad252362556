import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Hatchet } from '../../sdk/index.ts';
import { ended, packageRoot } from '../helpers/engine-process.ts';
import { engineProcessFixture } from '../helpers/engine-fixture.ts';

const fixture = engineProcessFixture('abandoned-waits', { logLevel: 'error' });
let hatchet: Hatchet;
let worker: ChildProcess;
let said = '';

beforeAll(async () => {
  ({ hatchet } = fixture);
  await startWorker('OFF');
});

async function startWorker(logLevel: string): Promise<void> {
  said = '';
  const env = { ...process.env, HATCHET_CLIENT_TOKEN: fixture.token, HATCHET_CLIENT_LOG_LEVEL: logLevel };
  worker = spawn(process.execPath, [join(packageRoot, 'test/fixtures/abandoned-waits/worker.mjs')], {
    cwd: packageRoot,
    stdio: ['ignore', 'ignore', 'pipe'],
    env,
  });
  worker.stderr?.on('data', (data: Buffer) => (said += data.toString()));
  await vi.waitFor(async () => expect(await hatchet.run('pid', {})).toEqual({ pid: { pid: worker.pid } }), {
    timeout: 20_000,
    interval: 50,
  });
}

afterAll(async () => {
  worker.kill('SIGKILL');
  await ended(worker);
});

async function isAlive(): Promise<void> {
  expect(await hatchet.run('pid', {})).toEqual({ pid: { pid: worker.pid } });
}

/** Cancels a run once its children run. */
async function cancelled(name: string, children: number): Promise<void> {
  const { workflowRunId: id } = await hatchet.runNoWait(name, {});
  await vi.waitFor(
    async () =>
      expect(
        (await hatchet.runs.list({ parentTaskRunExternalId: id })).rows?.filter(({ status }) => status === 'RUNNING'),
      ).toHaveLength(children),
    { timeout: 20_000, interval: 50 },
  );
  await hatchet.runs.cancel({ ids: [id] });
  await vi.waitFor(async () => expect(await hatchet.runs.get_status(id)).toBe('CANCELLED'), {
    timeout: 20_000,
    interval: 20,
  });
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
    expect(await hatchet.run('late-plain', {})).toEqual({
      'late-plain': { heard: expect.stringContaining('the child broke') },
    });
    await isAlive();
  });

  it('outlives calls that fail and that nobody waits for, and tells the log of the run', async () => {
    const ref = await hatchet.runNoWait('forgetful', {});
    await ref.result();
    await isAlive();
    const lines = (await logLines(ref.workflowRunId)).join('\n');
    expect(lines).toContain('putStream takes a text or bytes');
    expect(lines).toContain('no duration');
    expect(lines).toContain('has no parent nobody');
    expect(lines).toContain('no-such-task');
    expect(lines).not.toContain('the child broke');
    expect(said).toBe('');
  });

  it('says which tasks were running where one of them ends the process', async () => {
    worker.kill('SIGKILL');
    await ended(worker);
    await startWorker('ERROR');
    const { workflowRunId: bystander } = await hatchet.runNoWait('hangs', {});
    await vi.waitFor(async () => expect(await hatchet.runs.get_status(bystander)).toBe('RUNNING'), {
      timeout: 20_000,
      interval: 20,
    });
    const { workflowRunId: id } = await hatchet.runNoWait('exits', {});
    await ended(worker);
    expect(worker.exitCode).toBe(3);
    expect(said).toMatch(
      /ERROR Worker\/abandoning: the process ends with exit code 3, by process\.exit in .*abandoned-waits\/worker\.mjs:\d+:\d+.* while 2 tasks run: /,
    );
    for (const run of [bystander, id]) expect(said).toContain(run);
    await hatchet.runs.cancel({ ids: [id, bystander] });
    await startWorker('ERROR');
  });

  it('ends as any program does for a rejection of its own that nobody waits for', async () => {
    expect(said).toBe('');
    const { workflowRunId: id } = await hatchet.runNoWait('careless', {});
    await ended(worker);
    expect(worker.exitCode).toBe(1);
    expect(said).toMatch(
      new RegExp(
        `ERROR Worker/abandoning: a promise of the task ${id} was rejected, and nobody waits for it: that ends this process: nobody waits for this`,
      ),
    );
    expect(said).toMatch(new RegExp(`the process ends with exit code 1 while 1 task runs: careless:careless \\(${id}`));
  });
});

/** Of a run of one task. */
async function logLines(id: string): Promise<string[]> {
  const { apiUrl, token } = hatchet.config;
  const response = await fetch(`${apiUrl}/api/v1/stable/tasks/${id}/logs`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { rows } = Object(await response.json());
  return Array.from<{ message: string }>(rows).map(({ message }) => message);
}
