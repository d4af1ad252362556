import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { makeLinkedProject } from '../../helpers/linked-project.ts';
import { CliSession } from '../../helpers/run-cli.ts';
import { engineFixture } from '../../helpers/engine-fixture.ts';

/** The engine by itself would notice nothing for an hour. */
const fixture = engineFixture('worker deaths', { workerTimeoutMs: 3_600_000 });

const program = `
import { Hatchet } from 'hatchet-ts';
const hatchet = Hatchet.init();
const slow = hatchet.task({ name: 'slow', executionTimeout: '5s', retries: 0, fn: async () => { console.log('slow starts'); await new Promise((resolve) => setTimeout(resolve, 300)); return { pid: process.pid }; } });
const hold = hatchet.task({ name: 'hold', executionTimeout: '10m', retries: 0, fn: async ({ run }: { run: number }, ctx) => {
  if (ctx.retryCount() > 0) return { pid: process.pid };
  console.log('run ' + run + ' is held by ' + process.pid);
  await new Promise(() => {});
  return {};
} });
const fatal = hatchet.task({ name: 'fatal', retries: 5, fn: () => process.exit(7) });
const worker = await hatchet.worker('deaths', { workflows: [slow, hold, fatal], slots: 10 });
await worker.start();
`;

let worker: CliSession;

beforeAll(async () => {
  const project = await makeLinkedProject(fixture.folder, 'simple');
  writeFileSync(join(project, 'src', 'worker.ts'), program);
  worker = new CliSession(['worker', 'start', '--processes', '2'], {
    cwd: project,
    env: { HATCHET_CLIENT_TOKEN: fixture.engine.token },
  });
  await vi.waitFor(() => expect(worker.output).toContain('serving'), { timeout: 30_000 });
});

afterAll(async () => {
  await worker.end('SIGINT');
});

/** The process that holds a task of its own run. */
async function holder(run: number): Promise<number> {
  let pid = 0;
  await vi.waitFor(
    () => {
      pid = Number(new RegExp(`run ${run} is held by (\\d+)`).exec(worker.output)?.[1]);
      expect(pid).toBeGreaterThan(0);
    },
    { timeout: 20_000 },
  );
  return pid;
}

describe('a worker whose process dies, started by the command', () => {
  it('leaves its tasks to the other process, long before the engine would notice', async () => {
    const ref = await fixture.hatchet.runNoWait('hold', { run: 1 });
    const pid = await holder(1);
    process.kill(pid, 'SIGKILL');
    await expect(ref.result()).resolves.toEqual({ hold: { pid: expect.any(Number) } });
    await expect(ref.result()).resolves.not.toEqual({ hold: { pid } });
    const { taskEvents } = await fixture.hatchet.runs.get(await ref.runId);
    expect(taskEvents.find(({ eventType }) => eventType === 'REASSIGNED')?.message).toMatch(/died \(SIGKILL\)/);
  });

  it('loses none of 200 tasks without retries', async () => {
    const held = await fixture.hatchet.runNoWait('hold', { run: 2 });
    const pid = await holder(2);
    const refs = await Promise.all(
      Array.from({ length: 200 }, async () => await fixture.hatchet.runNoWait('slow', {})),
    );
    await vi.waitFor(() => expect(worker.output.match(/slow starts/g)?.length).toBeGreaterThan(20), {
      timeout: 20_000,
    });
    process.kill(pid, 'SIGKILL');
    await Promise.all([held, ...refs].map(async (ref) => await ref.result()));
  });

  it('a task that ends its process is given up after three, with the exit code', async () => {
    await expect(fixture.hatchet.run('fatal', {})).rejects.toThrow(
      'its worker died (exit code 7); 3 workers have died under this task',
    );
    await vi.waitFor(() => expect(worker.output.match(/crashed \(exit code 7\)/g)).toHaveLength(3), {
      timeout: 20_000,
    });
  });
});
