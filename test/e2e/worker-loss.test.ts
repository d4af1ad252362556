import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  RunStatus,
  WorkerStatus,
  type GetRunRequest,
  type GetRunResponse,
  type ListWorkersRequest,
  type ListWorkersResponse,
} from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import type { WorkflowRunRef } from '../../sdk/index.ts';
import type { GrpcClients } from '../helpers/grpc-client.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';

const root = join(import.meta.dirname, '..', '..');
/** Below the package, so that bare imports resolve. */
const folder = join(root, 'node_modules', `.worker-loss-${process.pid}`);

/** The engine waits longer than the execution timeout of what is lost with a worker. */
const fixture = engineFixture('worker-loss', { workerTimeoutMs: 8_000 });
let clients: GrpcClients;
const workers: SpawnedWorker[] = [];

interface SpawnedWorker {
  child: ChildProcess;
  output: string;
}

/** A process of its own, that nobody watches. */
async function spawnWorker(): Promise<SpawnedWorker> {
  const child = spawn(process.execPath, [join(folder, 'worker.mjs')], {
    env: { ...process.env, HATCHET_CLIENT_TOKEN: fixture.engine.token },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const worker: SpawnedWorker = { child, output: '' };
  workers.push(worker);
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => (worker.output += data.toString()));
  await expect.poll(() => worker.output, { interval: 10 }).toContain('ready');
  return worker;
}

beforeAll(async () => {
  ({ clients } = fixture);
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [join(root, 'test/fixtures/sdk-parity/process/worker.ts')],
    outfile: join(folder, 'worker.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    logLevel: 'error',
  });
});

afterEach(async () => {
  for (const { child } of workers.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a worker that is killed, and nobody tells', () => {
  it('loses none of 200 tasks with an execution timeout of 5 s and no retries', async () => {
    const [killed] = await Promise.all([spawnWorker(), spawnWorker()]);
    const refs = await Promise.all(
      Array.from({ length: 200 }, async () => await fixture.hatchet.runNoWait('process-slow', {})),
    );
    await expect.poll(() => killed.output, { interval: 1 }).toContain('started process-slow');
    killed.child.kill('SIGKILL');
    const results = await Promise.all(refs.map(async (ref) => await ref.result()));
    expect(results).toEqual(refs.map(() => ({ 'process-slow': { finished: true } })));
    const moved = await Promise.all(
      refs.map(async (ref) =>
        (await fixture.hatchet.runs.get(await ref.runId)).taskEvents.some(
          ({ eventType }) => eventType === 'REASSIGNED',
        ),
      ),
    );
    expect(moved.filter(Boolean).length).toBeGreaterThan(0);
  });
});

describe('a worker whose event loop is blocked', () => {
  const finished = { 'process-slow': { finished: true } };
  const getRun = (runId: string): Promise<GetRunResponse> =>
    clients.call<GetRunRequest, GetRunResponse>(clients.monitor, clients.monitor.getRun, {
      runId,
    });
  const trigger = (count: number): Promise<WorkflowRunRef<unknown>[]> =>
    Promise.all(Array.from({ length: count }, async () => await fixture.hatchet.runNoWait('process-slow', {})));

  async function statuses(): Promise<WorkerStatus[]> {
    const { rows } = await clients.call<ListWorkersRequest, ListWorkersResponse>(
      clients.monitor,
      clients.monitor.listWorkers,
      { all: false },
    );
    return rows
      .map(({ status }) => status)
      .filter((status) => status !== WorkerStatus.WORKER_STATUS_INACTIVE)
      .sort((a, b) => a - b);
  }

  async function block(worker: SpawnedWorker, ms: number): Promise<string> {
    const ref = await fixture.hatchet.runNoWait('process-busy', { ms });
    await expect.poll(() => worker.output, { interval: 10 }).toContain('started process-busy');
    return await ref.runId;
  }

  /** Of a run of one task: from its trigger to the start of the attempt that ended it, by the engine's own times. */
  async function waitedMs(runId: string): Promise<number> {
    const { run, tasks } = await getRun(runId);
    expect(run?.status).toBe(RunStatus.RUN_STATUS_COMPLETED);
    const [created, started] = [run?.createdAt, tasks[0]?.startedAt].map((time) => time?.getTime() ?? Number.NaN);
    return Number(started) - Number(created);
  }

  it('takes none of the tasks that another can run, and keeps the one that blocks it: none of those waits for 10 s', async () => {
    const blocked = await spawnWorker();
    const busy = await block(blocked, 60_000);
    await spawnWorker();
    const refs = await trigger(40);
    for (const ref of refs) await expect(ref.result()).resolves.toEqual(finished);
    expect(await statuses()).toEqual([WorkerStatus.WORKER_STATUS_ACTIVE, WorkerStatus.WORKER_STATUS_NOT_ANSWERING]);
    const { run, tasks } = await getRun(busy);
    expect(run?.status).toBe(RunStatus.RUN_STATUS_RUNNING);
    expect(tasks[0]).toMatchObject({
      attempt: 0,
      cause: { code: 'NOT_ANSWERING', text: 'runs on worker process, which does not answer' },
    });
    // What comes later does not go there first.
    const [late] = await trigger(1);
    await late?.result();
    const { taskEvents } = await fixture.hatchet.runs.get((await late?.runId) ?? '');
    expect(taskEvents.map(({ eventType }) => eventType)).not.toContain('REASSIGNED');
    const others = await Promise.all(
      [...refs, ...(late === undefined ? [] : [late])].map(async (ref) => await ref.runId),
    );
    const moved = await Promise.all(
      others.map(async (runId) =>
        (await fixture.hatchet.runs.get(runId)).taskEvents.some(({ eventType }) => eventType === 'REASSIGNED'),
      ),
    );
    expect(moved.filter(Boolean).length).toBeGreaterThan(0);
    // Those that the blocked worker was sent are its for 5 s.
    const waits = await Promise.all(others.map(waitedMs));
    expect(waits.filter((ms) => !(ms >= 0 && ms <= 10_000))).toEqual([]);
    await fixture.hatchet.runs.cancel({ ids: [busy] });
  });

  it('gets its tasks back once it answers, and has run each of them once', async () => {
    const worker = await spawnWorker();
    const busy = await block(worker, 9_000);
    const refs = await trigger(5);
    await expect.poll(statuses).toEqual([WorkerStatus.WORKER_STATUS_NOT_ANSWERING]);
    const first = (await refs[0]?.runId) ?? '';
    await expect
      .poll(async () => (await getRun(first)).tasks[0]?.cause)
      .toMatchObject({ code: 'NOT_ANSWERING', text: expect.stringContaining('does not answer') });
    for (const ref of refs) await expect(ref.result()).resolves.toEqual(finished);
    expect(await statuses()).toEqual([WorkerStatus.WORKER_STATUS_ACTIVE]);
    expect(worker.output.match(/started process-slow/g)).toHaveLength(5);
    expect((await getRun(busy)).tasks[0]).toMatchObject({ attempt: 0, output: '{"attempt":0}' });
  });
});
