import type { ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { RunStatus, type GetRunResponse } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { RunCancelledError, RunFailedError, type Hatchet, type Worker } from '../../sdk/index.ts';
import { ended } from '../helpers/engine-process.ts';
import { engineProcessFixture } from '../helpers/engine-fixture.ts';
import type { GrpcClients } from '../helpers/grpc-client.ts';
import { activeWorkers, slotsUsed } from '../helpers/listed-workers.ts';

const fixture = engineProcessFixture('batch', { workerTimeoutMs: 7_000 });
const calls = join(fixture.folder, 'calls.log');
const workers: ChildProcess[] = [];
let clients: GrpcClients;
let published: HatchetClient;
let hatchet: Hatchet;

beforeAll(async () => {
  writeFileSync(calls, '');
  ({ clients, hatchet } = fixture);
  Object.assign(process.env, fixture.env);
  startWorker();
  published = HatchetClient.init();
  await vi.waitFor(async () => expect(await activeWorkers(clients)).toBe(1), { timeout: 30_000 });
});

afterAll(async () => {
  for (const worker of workers) {
    worker.kill('SIGKILL');
    await ended(worker);
  }
});

function startWorker(): void {
  workers.push(fixture.spawn('published-batch/worker.mjs', calls));
}

function getRun(runId: string): Promise<GetRunResponse> {
  return clients.call(clients.monitor, clients.monitor.getRun, { runId });
}

async function eventsOf(runId: string): Promise<string[]> {
  const { events } = await clients.call(clients.monitor, clients.monitor.listRunEvents, { runId });
  return events.map((event) => event.type);
}

/** Members of every call of a task's body so far. */
function callsOf(name: string): string[][] {
  const lines = readFileSync(calls, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines
    .map((line): { name: string; members: string[] } => JSON.parse(line))
    .flatMap((call) => (call.name === name ? [call.members] : []));
}

async function start(
  workflow: string,
  inputs: readonly object[],
): Promise<{ runId: string; output: Promise<unknown> }[]> {
  const refs = await published.admin.runWorkflows(
    inputs.map((input) => ({ workflowName: workflow, input, options: {} })),
  );
  return Promise.all(
    refs.map(async (ref) => {
      const output = ref.output;
      output.catch(() => undefined);
      return { runId: await ref.getWorkflowRunId(), output };
    }),
  );
}

async function statuses(runs: readonly { runId: string }[]): Promise<(RunStatus | undefined)[]> {
  return Promise.all(runs.map(async ({ runId }) => (await getRun(runId)).run?.status));
}

describe("the published SDK's batch tasks, unmodified", () => {
  it('run as one call when the batch is full, and when its interval is over', async () => {
    const runs = await start(
      'batch-upper',
      ['a', 'b', 'c', 'd'].map((message) => ({ message })),
    );
    const outputs = await Promise.all(runs.map((run) => run.output));
    expect(outputs).toEqual([3, 3, 3, 1].map((size, index) => ({ 'batch-upper': { upper: 'ABCD'[index], size } })));
    expect(callsOf('batch-upper')).toEqual([runs.slice(0, 3).map((run) => run.runId), [runs[3]?.runId]]);
    expect(await eventsOf(runs[3]?.runId ?? '')).toEqual([
      'RUN_CREATED',
      'CREATED',
      'QUEUED',
      'WAITING_FOR_BATCH',
      'BATCH_FLUSHED',
      'ASSIGNED',
      'SENT_TO_WORKER',
      'STARTED',
      'FINISHED',
      'RUN_FINISHED',
    ]);
    await expect.poll(() => slotsUsed(clients)).toBe(0);
  });

  it('go by their keys, and fail where the key expression does', async () => {
    const runs = await start(
      'batch-keyed',
      ['x', 'y', 'x', 'y', 'x'].map((group) => ({ group })),
    );
    const outputs = await Promise.all(runs.map((run) => run.output));
    expect(outputs).toEqual(
      ['x', 'y', 'x', 'y', 'x'].map((group, index) => ({
        'batch-keyed': { group, groups: 1, size: index === 4 ? 1 : 2 },
      })),
    );
    const [bad] = await start('batch-keyed', [{}]);
    await expect
      .poll(async () => (await getRun(bad?.runId ?? '')).run?.errorMessage)
      .toContain('failed to parse batch group key expression');
  });

  it('give one output to all, fail as one, and are cancelled as one', async () => {
    const sums = await start(
      'batch-sum',
      [1, 2, 3, 4].map((n) => ({ n })),
    );
    expect(await Promise.all(sums.map((run) => run.output))).toEqual(sums.map(() => ({ 'batch-sum': { sum: 10 } })));
    const broken = await start('batch-broken', [{}, {}]);
    await expect.poll(() => statuses(broken)).toEqual([RunStatus.RUN_STATUS_FAILED, RunStatus.RUN_STATUS_FAILED]);
    expect((await getRun(broken[1]?.runId ?? '')).run?.errorMessage).toBe('the whole batch is no good');
    const quitting = await start('batch-quitting', [{}, {}]);
    await expect
      .poll(() => statuses(quitting))
      .toEqual([RunStatus.RUN_STATUS_CANCELLED, RunStatus.RUN_STATUS_CANCELLED]);
    const stuck = await start('batch-stuck', [{}, {}]);
    await expect.poll(() => statuses(stuck)).toEqual([RunStatus.RUN_STATUS_FAILED, RunStatus.RUN_STATUS_FAILED]);
    await expect.poll(() => slotsUsed(clients)).toBe(0);
  });
});

describe('batch tasks of our SDK', () => {
  const worker: { running?: Promise<void>; worker?: Worker } = {};
  const callsSeen: string[][] = [];
  let aborted = 0;
  let task: ReturnType<typeof declareHalve>;
  let hold: ReturnType<typeof declareHold>;
  let flow: ReturnType<typeof declareFlow>;

  beforeAll(async () => {
    task = declareHalve(hatchet, callsSeen);
    hold = declareHold(hatchet, () => aborted++);
    flow = declareFlow(hatchet);
    worker.worker = await hatchet.worker('ours', { handleKill: false, workflows: [task, hold, flow] });
    worker.running = worker.worker.start();
    await worker.worker.waitUntilReady();
  });

  afterAll(async () => {
    await worker.worker?.stop();
    await worker.running;
  });

  it('fail and retry run by run', async () => {
    // By name nobody checks the input before the worker does.
    const results = await Promise.allSettled([
      task.run({ n: 2 }),
      task.run({ n: 3 }),
      hatchet.run('halve', { n: -1 }),
      task.run({ n: 8 }),
    ]);
    expect(
      results.map((result) =>
        result.status === 'fulfilled' ? result.value : result.reason instanceof RunFailedError && result.reason.message,
      ),
    ).toEqual([
      { half: 1, attempt: 0 },
      { half: 1.5, attempt: 1 },
      expect.stringContaining('Too small'),
      { half: 4, attempt: 0 },
    ]);
    // The refused input is not in the call, and the odd one goes again without waiting for others.
    expect(callsSeen.map((members) => members.length)).toEqual([3, 1]);
  });

  it('stop once the last run of the batch is cancelled', async () => {
    const runs = await hold.runNoWait([{}, {}]);
    await expect.poll(async () => (await hatchet.runs.getDetails(runs[0]?.workflowRunId ?? '')).status).toBe('RUNNING');
    await hatchet.runs.cancel({ ids: [runs[0]?.workflowRunId ?? ''] });
    await expect(runs[0]?.output).rejects.toBeInstanceOf(RunCancelledError);
    expect(aborted).toBe(0);
    await hatchet.runs.cancel({ ids: [runs[1]?.workflowRunId ?? ''] });
    await expect.poll(() => aborted).toBe(1);
  });

  it('read the outputs of their parents, log to their runs, and run again with a replay', async () => {
    const runs = await flow.runManyNoWait(
      [1, 2].map((n) => ({ input: { n }, opts: { additionalMetadata: { number: `${n}` } } })),
    );
    const outputs = [
      { first: { n: 10 }, second: { sum: 11, by: 2, number: '1' } },
      { first: { n: 20 }, second: { sum: 22, by: 2, number: '2' } },
    ];
    expect(await Promise.all(runs.map((run) => run.output))).toEqual(outputs);
    const [one] = runs;
    const { lines } = await clients.call(clients.monitor, clients.monitor.listLogs, {
      id: one?.workflowRunId ?? '',
      levels: [],
    });
    expect(lines.map((line) => line.message)).toEqual(['adds 1']);
    await hatchet.runs.replay({ ids: runs.map((run) => run.workflowRunId) });
    await expect
      .poll(async () => (await eventsOf(one?.workflowRunId ?? '')).filter((type) => type === 'RUN_FINISHED').length)
      .toBe(2);
    expect(await Promise.all(runs.map((run) => hatchet.runRef(run.workflowRunId).output))).toEqual(outputs);
  });
});

function declareHalve(client: Hatchet, seen: string[][]) {
  return client.batchTask({
    name: 'halve',
    retries: 1,
    batch: { maxSize: 4 },
    input: z.object({ n: z.number().min(0) }),
    output: z.object({ half: z.number(), attempt: z.number() }),
    fn: (inputs, ctx) => {
      seen.push(ctx.memberIds);
      return Object.fromEntries(
        Object.entries(inputs).map(([id, { n }]) => {
          const attempt = ctx.member(id).retryCount();
          return [id, n % 2 === 1 && attempt === 0 ? new Error('odd at first') : { half: n / 2, attempt }];
        }),
      );
    },
  });
}

function declareHold(client: Hatchet, aborted: () => void) {
  return client.batchTask({
    name: 'hold',
    batch: { maxSize: 2, broadcastOutput: true },
    fn: async (_inputs: Record<string, object>, ctx) => {
      await new Promise<void>((resolve) => ctx.abortController.signal.addEventListener('abort', () => resolve()));
      aborted();
      return {};
    },
  });
}

function declareFlow(client: Hatchet) {
  const flow = client.workflow<{ n: number }>({ name: 'batch-flow' });
  const first = flow.task({ name: 'first', fn: ({ n }) => ({ n: n * 10 }) });
  flow.batchTask({
    name: 'second',
    parents: [first],
    batch: { maxSize: 2 },
    fn: async (inputs, ctx) => {
      const outputs: Record<string, { sum: number; by: number; number: string | undefined }> = {};
      for (const [id, { n }] of Object.entries(inputs)) {
        const member = ctx.member(id);
        await member.log(`adds ${n}`);
        outputs[id] = {
          sum: n + (await member.parentOutput(first)).n,
          by: ctx.memberIds.length,
          number: member.additionalMetadata()['number'],
        };
      }
      return outputs;
    },
  });
  return flow;
}

describe('kill -9', () => {
  it('of engine and worker loses no batch and doubles none', async () => {
    const long = await start(
      'batch-slow',
      Array.from({ length: 5 }, (_, n) => ({ n, ms: 60_000 })),
    );
    await expect.poll(() => callsOf('batch-slow').length).toBe(1);
    await expect.poll(async () => (await getRun(long[0]?.runId ?? '')).tasks[0]?.startedAt).toBeDefined();
    // Two that wait for company while the engine dies: they are gathered on disk.
    const waiting = await start('batch-broken', [{}]);
    await fixture.engine.end('SIGKILL');
    await fixture.startAgain();
    await expect
      .poll(async () => (await getRun(waiting[0]?.runId ?? '').catch(() => undefined))?.tasks[0]?.cause?.code)
      .toBe('BATCH');
    // The engine's death takes no batch from its worker; the worker's does.
    expect(await statuses(long)).toEqual(long.map(() => RunStatus.RUN_STATUS_RUNNING));
    const [first] = workers;
    startWorker();
    await expect.poll(() => activeWorkers(clients), { timeout: 30_000 }).toBe(2);
    first?.kill('SIGKILL');
    await expect.poll(() => callsOf('batch-slow').length, { timeout: 30_000 }).toBe(2);
    expect(callsOf('batch-slow')[1]?.sort()).toEqual(long.map((run) => run.runId).sort());
    await published.runs.cancel({ ids: long.slice(0, 1).map((run) => run.runId) });
    await expect
      .poll(() => statuses(long))
      .toEqual([RunStatus.RUN_STATUS_CANCELLED, ...long.slice(1).map(() => RunStatus.RUN_STATUS_RUNNING)]);
    await published.runs.cancel({ ids: long.map((run) => run.runId) });
    await expect.poll(() => slotsUsed(clients)).toBe(0);
    const partner = await start('batch-broken', [{}]);
    await expect
      .poll(() => statuses([...waiting, ...partner]))
      .toEqual([RunStatus.RUN_STATUS_FAILED, RunStatus.RUN_STATUS_FAILED]);
  });
});
