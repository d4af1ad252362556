import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Hatchet } from '../../sdk/index.ts';
import { isEvicted, waitsAt } from '../helpers/durable-waits.ts';
import { engineProcessFixture } from '../helpers/engine-fixture.ts';
import { ended } from '../helpers/engine-process.ts';
import { patient } from '../helpers/patient.ts';

const quick = { ttl: '20ms' } as const;

const fixture = engineProcessFixture('sdk-durable');
const said = join(fixture.folder, 'said');
let hatchet: Hatchet;
let orphan: { runId: string; heir: ChildProcess };

const startProcess = (name: string): ChildProcess => fixture.spawn('sdk-durable/worker.mjs', said, name);

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
  await waitsAt(hatchet, runId, 2);
  first.kill('SIGKILL');
  await ended(first);
  return { runId, heir: startProcess('heir') };
}

beforeAll(async () => {
  ({ hatchet } = fixture);
  orphan = await killWorker();
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
    await fixture.serve('forgetful', { workflows: [task] });
    const refs = await task.runNoWait(Array.from({ length: 100 }, () => ({})));
    await Promise.all(refs.map(({ workflowRunId }) => isEvicted(hatchet, workflowRunId)));
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
