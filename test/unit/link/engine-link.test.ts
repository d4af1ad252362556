import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TriggerWorkflowRequest } from '../../../proto/gen/hatchet/contract/v1/trigger.ts';
import { NotOfferedError, type AttachedWorker } from '../../../sdk/connection/engine-link.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { randomFrom } from '../../helpers/random.ts';
import { LinkWorld } from './link-world.ts';

const request: TriggerWorkflowRequest = { name: 'noop', input: '{}', desiredWorkerLabels: {} };
const patienceMs = 30_000;

beforeEach(
  () =>
    void vi.useFakeTimers({
      toFake: ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'Date', 'performance'],
    }),
);
afterEach(() => void vi.useRealTimers());

function unexpected(error: unknown): never {
  throw new Error('the engine did not take it', { cause: error });
}

function worker(seen: string[], others: Partial<AttachedWorker> = {}): AttachedWorker {
  return {
    onAction: ({ taskRunExternalId }) => seen.push(taskRunExternalId),
    onCut: () => undefined,
    onEnded: () => undefined,
    ...others,
  };
}

describe('a history of cuts, restarts and refusals', () => {
  it.each(Array.from({ length: 200 }, (_, seed) => seed))(
    'loses nothing and does nothing twice: seed %i',
    async (seed) => {
      const random = randomFrom(seed);
      const upTo = (most: number): number => Math.floor(random() * most);
      const mayRestart = seed % 2 === 0;
      const world = new LinkWorld(() => upTo(20));
      world.commandMs = () => upTo(seed % 3 === 0 ? 400 : 20);
      world.refuses = () => random() < 0.1;
      const { link } = world;
      const started: Promise<string>[] = [];
      const asked: string[] = [];
      const ends: string[] = [];
      const awaited: string[] = [];
      const reported: Promise<void>[] = [];
      const seen: string[] = [];
      const assigned: string[] = [];
      let forgotten = false;
      let next = 0;
      const id = (kind: string): string => `${kind}-${next++}`;
      link.attach('w', worker(seen));
      for (let step = 0; step < 150; step++) {
        const what = random();
        if (what < 0.35) {
          const runId = newId();
          const isAwaited = random() < 0.5;
          asked.push(runId);
          if (isAwaited) awaited.push(runId);
          started.push(link.trigger(request, { runId, isAwaited, patienceMs }));
          if (isAwaited)
            void started.at(-1)?.then((run) =>
              link.awaitRun(run, {
                onEnded: (event) => ends.push(event.workflowRunId),
                onLost: () => undefined,
              }),
            );
        } else if (what < 0.55) {
          const taskId = id('task');
          link.started({ taskId, attempt: 0 }, patienceMs, unexpected);
          reported.push(link.completed({ taskId, attempt: 0, output: '{}' }, patienceMs));
        } else if (what < 0.7) {
          const taskId = id('assigned');
          if (world.assign('w', taskId)) assigned.push(taskId);
        } else if (what < 0.75) world.cut();
        else if (what < 0.77 && mayRestart) {
          world.restart();
          forgotten = true;
        } else await vi.advanceTimersByTimeAsync(upTo(60));
        if (random() < 0.3) for (const runId of world.runs.keys()) if (random() < 0.2) world.endRun(runId);
      }
      world.refuses = () => false;
      const all = Promise.all([...started, ...reported]);
      all.catch(() => undefined);
      await vi.advanceTimersByTimeAsync(10_000);
      await expect(all).resolves.toBeDefined();
      expect([...world.runs.keys()].sort()).toEqual([...asked].sort());
      for (const runId of world.runs.keys()) world.endRun(runId);
      await vi.advanceTimersByTimeAsync(10_000);
      expect(ends.sort()).toEqual(awaited.sort());
      // A report that is repeated after the engine has forgotten the session says what it has said.
      if (!forgotten) {
        expect([...world.reports.values()].filter((count) => count !== 1)).toEqual([]);
        expect(seen).toEqual(assigned);
      }
      expect(world.reports.size).toBe(reported.length * 2);
      expect(new Set(seen).size).toBe(seen.length);
      link.close(new Error('over'));
    },
  );
});

function quick(): LinkWorld {
  return new LinkWorld(() => 1);
}

describe('an engine without sessions', () => {
  it('takes nothing by the link: what was asked for goes another way, and so does what comes later', async () => {
    const world = quick();
    world.answer = status.UNIMPLEMENTED;
    const lost: unknown[] = [];
    const ended: unknown[] = [];
    const triggered = world.link.trigger(request, { runId: newId(), isAwaited: true, patienceMs });
    triggered.catch(() => undefined);
    world.link.attach('w', worker([], { onEnded: (error) => ended.push(error) }));
    world.link.awaitRun('run', { onEnded: () => undefined, onLost: (error) => lost.push(error) });
    await vi.advanceTimersByTimeAsync(10);
    await expect(triggered).rejects.toBeInstanceOf(NotOfferedError);
    expect([lost, ended]).toEqual([[expect.any(NotOfferedError)], [expect.any(NotOfferedError)]]);
    await expect(world.link.completed({ taskId: 't', attempt: 0, output: '{}' }, patienceMs)).rejects.toBeInstanceOf(
      NotOfferedError,
    );
    expect([world.link.isOffered, world.streams]).toEqual([false, 1]);
  });
});

describe('an engine that is away', () => {
  it('is given up after the patience of each who asks, and what was never sent is not sent later', async () => {
    const world = quick();
    world.answer = status.UNAVAILABLE;
    const short = world.link.trigger(request, { runId: newId(), isAwaited: false, patienceMs: 1_000 });
    const runId = newId();
    const long = world.link.trigger(request, { runId, isAwaited: false, patienceMs: 20_000 });
    short.catch(() => undefined);
    await vi.advanceTimersByTimeAsync(3_000);
    await expect(short).rejects.toMatchObject({ code: status.UNAVAILABLE });
    world.answer = status.OK;
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await long).toBe(runId);
    expect([...world.runs]).toEqual([[runId, 1]]);
  });

  it('that refuses the token is believed at once', async () => {
    const world = quick();
    world.answer = status.UNAUTHENTICATED;
    const ended: unknown[] = [];
    world.link.attach('w', worker([], { onEnded: (error) => ended.push(error) }));
    const triggered = world.link.trigger(request, { runId: newId(), isAwaited: false, patienceMs });
    triggered.catch(() => undefined);
    await vi.advanceTimersByTimeAsync(10);
    await expect(triggered).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    expect(ended).toMatchObject([{ code: status.UNAUTHENTICATED }]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(world.streams).toBe(1);
  });
});

it('what comes up in one turn travels together, and an idle link has no stream', async () => {
  const world = quick();
  const frames: number[] = [];
  world.sees = ({ triggers }) => void frames.push(triggers.length);
  const runs = (count: number): Promise<unknown> =>
    Promise.all(
      Array.from({ length: count }, () =>
        world.link.trigger(request, { runId: newId(), isAwaited: false, patienceMs }),
      ),
    );
  const first = runs(450);
  await vi.advanceTimersByTimeAsync(100);
  await first;
  expect(frames).toEqual([200, 200, 50]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect([world.link.isOpen, vi.getTimerCount()]).toEqual([false, 1]); // the engine's, which forgets the session
  const again = runs(3);
  await vi.advanceTimersByTimeAsync(100);
  await again;
  expect([frames.at(-1), world.streams]).toEqual([3, 2]);
});

it('no more is on its way than the engine has said', async () => {
  const world = quick();
  world.commandMs = () => 1_000;
  let open = 0;
  world.sees = () => void open++;
  for (let n = 0; n < 10_000; n++) world.link.started({ taskId: `t${n}`, attempt: 0 }, patienceMs, unexpected);
  await vi.advanceTimersByTimeAsync(500);
  expect(open).toBe(20);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(world.reports.size).toBe(10_000);
});
