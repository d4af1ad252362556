import { Client } from 'pg';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Hatchet, Runnable, Worker, WorkerOptions } from '../../sdk/index.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';

const fixture = engineFixture('sdk', { logLevel: 'error' });
let hatchet: Hatchet;
const workers: { worker: Worker; running: Promise<void> }[] = [];

beforeAll(() => void ({ hatchet } = fixture));

afterEach(async () => {
  for (const { worker, running } of workers.splice(0)) {
    await worker.stop();
    await running;
  }
});

async function startWorker(workflows: Runnable[], options: WorkerOptions = {}): Promise<Worker> {
  const worker = await hatchet.worker('test', { handleKill: false, ...options, workflows });
  workers.push({ worker, running: worker.start() });
  await worker.waitUntilReady();
  return worker;
}

/** Something that a task waits for, and a sign that it does. */
function gate(): { open: () => void; opened: Promise<void> } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open: () => open(), opened };
}

describe('a worker', () => {
  it('keeps its id, its tasks and their results through an engine restart', async () => {
    const started = gate();
    const finish = gate();
    let calls = 0;
    const task = hatchet.task({
      name: 'outlives',
      fn: async () => {
        calls += 1;
        started.open();
        await finish.opened;
        return { calls };
      },
    });
    const worker = await startWorker([task]);
    const id = worker.workerId;
    const ref = await task.runNoWait({});
    const result = ref.result();
    await started.opened;

    await fixture.engine.stop();
    finish.open(); // It finishes while no engine is up.
    await fixture.startAgain();

    await expect(result).resolves.toEqual({ calls: 1 });
    expect(worker.workerId).toBe(id);
    await expect(task.run({})).resolves.toEqual({ calls: 2 });
    expect(worker.workerId).toBe(id);
  });

  it('has no place in its log for disorder', async () => {
    const task = hatchet.task({
      name: 'logs',
      fn: (_input: object, ctx) => {
        for (let index = 0; index < 50; index += 1)
          void ctx.log(`line ${index}`, index % 2 === 0 ? 'INFO' : 'WARN', { extra: { index } });
      },
    });
    await startWorker([task]);
    const ref = await task.runNoWait({});
    await ref.result();
    const client = new Client({ connectionString: fixture.database.url });
    await client.connect();
    try {
      const read = async (): Promise<string[]> =>
        (
          await client.query<{ message: string }>('SELECT message FROM log_line WHERE task_id = $1 ORDER BY id', [
            ref.workflowRunId,
          ])
        ).rows.map((row) => row.message);
      await expect.poll(read).toEqual(Array.from({ length: 50 }, (_, index) => `line ${index}`));
    } finally {
      await client.end();
    }
  });

  it('logs thousands of lines, awaited or not, within the time of its attempt', async () => {
    const count = 9_000;
    const task = hatchet.task({
      name: 'logs-much',
      executionTimeout: '10s',
      fn: async (input: { awaited: boolean }, ctx) => {
        for (let index = 0; index < count; index += 1) {
          const logged = ctx.log(`line ${index}`);
          if (input.awaited) await logged;
        }
      },
    });
    await startWorker([task]);
    const client = new Client({ connectionString: fixture.database.url });
    await client.connect();
    try {
      for (const awaited of [true, false]) {
        const ref = await task.runNoWait({ awaited });
        await ref.result();
        const read = async (): Promise<string[]> =>
          (
            await client.query<{ message: string }>('SELECT message FROM log_line WHERE task_id = $1 ORDER BY id', [
              ref.workflowRunId,
            ])
          ).rows.map((row) => row.message);
        await expect.poll(async () => (await read()).length).toBe(count);
        expect(await read()).toEqual(Array.from({ length: count }, (_, index) => `line ${index}`));
      }
    } finally {
      await client.end();
    }
  });
});

describe('inputs and outputs', () => {
  it('the schema is registered as JSON Schema', async () => {
    const task = hatchet.task({ name: 'described', input: z.object({ message: z.string() }), fn: () => {} });
    await startWorker([task]);
    const client = new Client({ connectionString: fixture.database.url });
    await client.connect();
    try {
      const { rows } = await client.query<{ text: string }>(
        "SELECT v::text AS text FROM workflow_version v WHERE v::text LIKE '%described%'",
      );
      expect(rows).toEqual([{ text: expect.stringContaining('"message') }]);
    } finally {
      await client.end();
    }
  });
});
