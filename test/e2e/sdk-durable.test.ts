import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  engine,
  folder,
  hatchet,
  isEvicted,
  startEngine,
  startWorker,
  stopEngine,
  waitsAt,
} from '../helpers/durable-sdk-desk.ts';
import { ended, packageRoot } from '../helpers/engine-process.ts';
import { patient } from '../helpers/patient.ts';

const quick = { ttl: '20ms' } as const;

let said: string;
let orphan: { runId: string; heir: ChildProcess };

function startProcess(name: string): ChildProcess {
  const env = {
    ...process.env,
    HATCHET_CLIENT_TOKEN: engine.ready.token,
    HATCHET_CLIENT_TLS_STRATEGY: 'none',
    HATCHET_CLIENT_LOG_LEVEL: 'ERROR',
  };
  return spawn(process.execPath, [join(packageRoot, 'test/fixtures/sdk-durable/worker.mjs'), said, name], {
    cwd: packageRoot,
    stdio: 'ignore',
    env,
  });
}

function lines(): string[] {
  return existsSync(said) ? readFileSync(said, 'utf8').trim().split('\n') : [];
}

/** The engine declares a killed worker dead 30 s after its last heartbeat: the other tests run meanwhile. */
async function killWorker(): Promise<typeof orphan> {
  const first = startProcess('first');
  const runId = await vi.waitFor(async () => (await hatchet.runNoWait('orphan', {})).workflowRunId, {
    timeout: 20_000,
  });
  await vi.waitFor(() => expect(lines()).toEqual(['memo', 'first']), { timeout: 20_000 });
  await waitsAt(runId, 2);
  first.kill('SIGKILL');
  await ended(first);
  return { runId, heir: startProcess('heir') };
}

beforeAll(async () => {
  await startEngine('sdk-durable');
  said = join(folder, 'said');
  orphan = await killWorker();
});

afterAll(async () => {
  orphan.heir.kill('SIGTERM');
  await ended(orphan.heir);
  await stopEngine();
});

describe('durable tasks of the SDK', () => {
  it('leave nothing of themselves in memory once evicted', async () => {
    const contexts: WeakRef<object>[] = [];
    const task = hatchet.durableTask({
      name: 'forgotten',
      evictionPolicy: quick,
      fn: async (_: object, ctx) => {
        contexts.push(new WeakRef(ctx));
        const ballast = Buffer.alloc(100_000, contexts.length);
        await Promise.race([ctx.sleepFor('1h'), ctx.waitForEvent('never')]);
        return { length: ballast.length };
      },
    });
    await startWorker('forgetful', { workflows: [task] });
    const refs = await task.runNoWait(Array.from({ length: 100 }, () => ({})));
    await Promise.all(refs.map(({ workflowRunId }) => isEvicted(workflowRunId)));
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    await vi.waitFor(() => {
      collect();
      expect(contexts.filter((context) => context.deref() !== undefined)).toEqual([]);
    }, patient);
    expect(contexts).toHaveLength(100);
  });

  it('go on elsewhere after a worker was killed', async () => {
    await vi.waitFor(() => expect(lines()).toContain('heir'), { timeout: 60_000, interval: 100 });
    await hatchet.events.push('orphan-go', { n: 9 });
    expect(await hatchet.runRef(orphan.runId).output).toEqual({ orphan: { n: 9, by: 'heir' } });
    expect(lines()).toEqual(['memo', 'first', 'heir']);
  });
});
