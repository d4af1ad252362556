import { HatchetClient, RateLimitDuration } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { RunStatus } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { engineProcessFixture } from '../helpers/engine-fixture.ts';
import type { GrpcClients } from '../helpers/grpc-client.ts';
import { activeWorkers } from '../helpers/listed-workers.ts';

const fixture = engineProcessFixture('queue');
let clients: GrpcClients;
let hatchet: HatchetClient;

interface Span {
  startedAt: number;
  endedAt: number;
}

beforeAll(async () => {
  ({ clients } = fixture);
  Object.assign(process.env, fixture.env);
  hatchet = HatchetClient.init();
  await hatchet.ratelimits.upsert({ key: 'api', limit: 2, duration: RateLimitDuration.SECOND });
  fixture.spawn('published-queue/worker.mjs', 'ada', 'small');
  fixture.spawn('published-queue/worker.mjs', 'bob', 'large');
  await vi.waitFor(async () => expect(await activeWorkers(clients)).toBe(2), { timeout: 30_000 });
});

async function run(runId: string) {
  return (await clients.call(clients.monitor, clients.monitor.getRun, { runId })).run;
}

async function start(
  workflow: string,
  input: Record<string, string>,
  settings: Parameters<HatchetClient['runNoWait']>[2] = {},
) {
  const ref = await hatchet.runNoWait(workflow, input, settings);
  return { ref, runId: await ref.getWorkflowRunId() };
}

/** The one task's output, or the run's by task: the SDK unwraps a run of one task. */
function isSpan(value: unknown): value is Span {
  return typeof value === 'object' && value !== null && 'startedAt' in value && 'endedAt' in value;
}

function spanOf(output: unknown, task: string): Span {
  const value: unknown = isSpan(output) ? output : Object(output)[task];
  if (!isSpan(value)) throw new Error(`no span of ${task} in ${JSON.stringify(output)}`);
  return value;
}

function workersOf(output: unknown): string[] {
  return Object.values(Object(output)).map((value) => JSON.stringify(value));
}

function overlaps(spans: readonly Span[]): number {
  const sorted = [...spans].sort((a, b) => a.startedAt - b.startedAt);
  return sorted.filter((span, index) => index > 0 && span.startedAt < (sorted[index - 1]?.endedAt ?? 0)).length;
}

describe('the queue, by the published TypeScript SDK', () => {
  it('GROUP_ROUND_ROBIN: one at a time per key, keys side by side', async () => {
    const runs = await Promise.all(
      Array.from({ length: 8 }, (_, index) => start('in-turn', { key: index % 2 === 0 ? 'even' : 'odd' })),
    );
    const spans = await Promise.all(runs.map(async ({ ref }) => spanOf(await ref.output, 'in-turn')));
    expect(overlaps(spans.filter((_, index) => index % 2 === 0))).toBe(0);
    expect(overlaps(spans.filter((_, index) => index % 2 === 1))).toBe(0);
    expect(overlaps(spans)).toBeGreaterThan(0);
  });

  it('CANCEL_IN_PROGRESS: a newer run ends the one that runs', async () => {
    const first = await start('newest-wins', { key: 'k' });
    await expect.poll(async () => (await run(first.runId))?.status).toBe(RunStatus.RUN_STATUS_RUNNING);
    const other = await start('newest-wins', { key: 'another' });
    const second = await start('newest-wins', { key: 'k' });
    expect((await run(first.runId))?.status).toBe(RunStatus.RUN_STATUS_CANCELLED);
    await expect.poll(async () => (await run(second.runId))?.status).toBe(RunStatus.RUN_STATUS_RUNNING);
    expect((await run(other.runId))?.status).not.toBe(RunStatus.RUN_STATUS_CANCELLED);
    await hatchet.runs.cancel({ ids: [second.runId, other.runId] });
  });

  it('CANCEL_NEWEST: a run that finds no place is cancelled, with the reason', async () => {
    const first = await start('first-wins', { key: 'k' });
    const second = await start('first-wins', { key: 'k' });
    expect((await run(second.runId))?.status).toBe(RunStatus.RUN_STATUS_CANCELLED);
    const { data } = await hatchet.api.v1WorkflowRunTaskEventsList(second.runId);
    expect(data.rows?.map((event) => event.message)).toContain('cancelled by CANCEL_NEWEST (at most 1) on key "k"');
    await first.ref.output;
    expect((await run(first.runId))?.status).toBe(RunStatus.RUN_STATUS_COMPLETED);
  });

  it('a place of the workflow is held until the run has ended', async () => {
    const runs = await Promise.all(Array.from({ length: 3 }, () => start('pair', { key: 'same' })));
    const outputs = await Promise.all(runs.map(({ ref }) => ref.output));
    expect(
      overlaps(
        outputs.map((output) => ({
          startedAt: spanOf(output, 'one').startedAt,
          endedAt: spanOf(output, 'two').endedAt,
        })),
      ),
    ).toBe(0);
  });

  it('a static rate limit holds in every window', async () => {
    const runs = await Promise.all(Array.from({ length: 7 }, () => start('limited', {})));
    const spans = await Promise.all(runs.map(async ({ ref }) => spanOf(await ref.output, 'limited')));
    const starts = spans.map((span) => span.startedAt).sort((a, b) => a - b);
    // Two a second: seven take at least three windows.
    expect((starts.at(-1) ?? 0) - (starts[0] ?? 0)).toBeGreaterThan(2_000);
  });

  it('a dynamic rate limit is apart for each key; what waits says so', async () => {
    const [ada, bob, again] = [
      await start('limited-by-user', { user: 'ada' }),
      await start('limited-by-user', { user: 'bob' }),
      await start('limited-by-user', { user: 'ada' }),
    ];
    await Promise.all([ada.ref.output, bob.ref.output]);
    expect((await run(again.runId))?.status).toBe(RunStatus.RUN_STATUS_QUEUED);
    await hatchet.runs.cancel({ ids: [again.runId] });
  });

  it('an expression that fails fails the run, with the reason', async () => {
    const { ref, runId } = await start('in-turn', { other: 'x' });
    await expect(ref.output).rejects.toBeDefined();
    expect((await run(runId))?.errorMessage).toContain('the concurrency expression "input.key" failed');
  });

  it('a required label sends a task to the worker that has it; a label of the run too', async () => {
    const outputs = await Promise.all(Array.from({ length: 6 }, () => hatchet.run('needs-model', {})));
    expect(new Set(outputs.map((output) => JSON.stringify(output))).size).toBe(1);
    expect(JSON.stringify(outputs[0])).toContain('bob');
    const named = await Promise.all(
      Array.from({ length: 4 }, () =>
        hatchet.run('where', {}, { desiredWorkerLabels: { model: { value: 'small', required: true } } }),
      ),
    );
    expect(JSON.stringify(named)).not.toContain('bob');
  });

  it('HARD stickiness keeps every task of a run on the worker of its first', async () => {
    const outputs = await Promise.all(Array.from({ length: 6 }, () => hatchet.run('sticky', {})));
    for (const output of outputs) expect([workersOf(output).length, new Set(workersOf(output)).size]).toEqual([4, 1]);
    expect(new Set(outputs.map((output) => workersOf(output)[0])).size).toBe(2);
  });
});
