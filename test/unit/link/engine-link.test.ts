import { EventEmitter } from 'node:events';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StepActionEventType, type BatchActionEvent } from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import type { NewLogLine } from '../../../proto/gen/hatchet/monitor/v1/monitor.ts';
import type { TriggerWorkflowRequest } from '../../../proto/gen/hatchet/contract/v1/trigger.ts';
import {
  CommandKind,
  type ConnectRequest,
  type ConnectResponse,
} from '../../../proto/gen/hatchet/session/v1/session.ts';
import { statusOf } from '../../../sdk/connection/call-error.ts';
import { EngineLink, NotOfferedError, type AttachedWorker } from '../../../link/engine-link.ts';
import type { LinkAnswer } from '../../../link/link-command.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { randomFrom } from '../../helpers/random.ts';
import type { DurableRequest, LinkedDurableStream } from '../../../link/linked-durable-streams.ts';
import { chunk, completed, patienceMs } from './commands-to-send.ts';
import { LinkWorld } from './link-world.ts';

const request: TriggerWorkflowRequest = { name: 'noop', input: '{}', desiredWorkerLabels: {} };

beforeEach(
  () =>
    void vi.useFakeTimers({
      toFake: ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'Date', 'performance'],
    }),
);
afterEach(() => void vi.useRealTimers());

function expectTaken(answer: LinkAnswer): void {
  if ('error' in answer) throw new Error('the engine did not take it', { cause: answer.error });
}

function line(task: string, message: string): NewLogLine {
  return {
    taskRunExternalId: task,
    createdAt: new Date(),
    taskRetryCount: 0,
    level: 'INFO',
    message,
    metadata: '{}',
  };
}

function batchReport(batchId: string, eventType: StepActionEventType): BatchActionEvent {
  return { workerId: 'w', jobId: '', actionId: '', batchId, eventTimestamp: undefined, eventType, items: [] };
}

/** As the sender of lines does it: one frame after the other, and those that are refused for the moment before what follows. */
class Lines {
  readonly refused: string[] = [];
  readonly written: string[] = [];
  readonly #link: EngineLink;
  readonly #signal = new AbortController().signal;
  #waiting: string[] = [];
  #sending: Promise<void> | undefined;

  constructor(link: EngineLink) {
    this.#link = link;
  }

  write(message: string): void {
    this.written.push(message);
    this.#waiting.push(message);
    this.#sending ??= this.#send();
  }

  async done(): Promise<void> {
    await this.#sending;
  }

  async #send(): Promise<void> {
    while (this.#waiting.length > 0) {
      const messages = this.#waiting.splice(0);
      const refused = await this.#link.logged(
        messages.map((message) => line('task', message)),
        { patienceMs, signal: this.#signal },
      );
      const again: string[] = [];
      for (const [index, error] of refused) {
        const message = messages[index] ?? '';
        if (statusOf(error) === status.INVALID_ARGUMENT) this.refused.push(message);
        else again.push(message);
      }
      this.#waiting.unshift(...again);
    }
    this.#sending = undefined;
  }
}

/** A stream on which the test says what the engine says. */
class StreamByHand extends EventEmitter {
  readonly requests: ConnectRequest[] = [];

  write(request: ConnectRequest): void {
    this.requests.push(structuredClone(request));
  }

  say(response: Partial<ConnectResponse>): void {
    const empty = {
      number: 0n,
      done: [],
      refusals: [],
      otherRuns: [],
      assigned: [],
      detached: [],
      ended: [],
      tasks: [],
      durable: [],
    };
    this.emit('data', { welcome: undefined, ...empty, ...response });
  }

  cancel(): void {
    this.emit('end');
  }
}

function byHand(): { streams: StreamByHand[]; connection: ConstructorParameters<typeof EngineLink>[0] } {
  const streams: StreamByHand[] = [];
  const connect = (): StreamByHand => {
    const stream = new StreamByHand();
    streams.push(stream);
    return stream;
  };
  return {
    streams,
    connection: { connect, welcomed: () => undefined, whyHopeless: async () => undefined },
  };
}

function worker(seen: string[], others: Partial<AttachedWorker> = {}): AttachedWorker {
  return {
    onAction: ({ taskRunExternalId }) => seen.push(taskRunExternalId),
    onCut: () => undefined,
    onEnded: () => undefined,
    ...others,
  };
}

/** A worker whose durable tasks ask by the link, and that comes back where its stream is lost. */
class DurableWorker {
  readonly asked: string[] = [];
  readonly answered: string[] = [];
  /** How many were not answered when their stream was lost. */
  lost = 0;
  readonly #link: EngineLink;
  #stream: LinkedDurableStream | undefined;
  #isReady = false;
  #unanswered: string[] = [];

  constructor(link: EngineLink) {
    this.#link = link;
    this.#open();
  }

  ask(key: string): void {
    if (!this.#isReady) return;
    this.asked.push(key);
    this.#unanswered.push(key);
    this.#stream?.send(memo(key));
  }

  #open(): void {
    this.#stream = this.#link.openDurable('w', {
      onMessage: (message) => {
        if (message.$case === 'registerWorker') this.#isReady = true;
        if (message.$case !== 'memoAck') return;
        const key = message.value.memoResultPayload?.toString() ?? '';
        expect(this.#unanswered.shift()).toBe(key);
        this.answered.push(key);
      },
      onCut: () => undefined,
      onResumed: () => undefined,
      onEnded: () => {
        this.#isReady = false;
        this.lost += this.#unanswered.splice(0).length;
        setTimeout(() => this.#open(), 100);
      },
    });
    this.#stream.send({ $case: 'registerWorker', value: { workerId: 'w' } });
  }
}

function memo(key: string, taskId = 'task'): DurableRequest {
  const task = { durableTaskExternalId: taskId, invocationCount: 1 };
  return { $case: 'memo', value: { ...task, key: Buffer.from(key), payload: undefined } };
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
      const lines = new Lines(link);
      world.refusesLine = (message) => (message.startsWith('bad') ? status.INVALID_ARGUMENT : undefined);
      let forgotten = false;
      let next = 0;
      let chunks = 0;
      let batches = 0;
      let results = 0;
      const id = (kind: string): string => `${kind}-${next++}`;
      link.attach('w', worker(seen));
      const durable = new DurableWorker(link);
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
          link.started({ taskId, attempt: 0 }, patienceMs, expectTaken);
          results++;
          reported.push(completed(link, taskId));
        } else if (what < 0.6) {
          for (let left = 1 + upTo(4); left > 0; left--) lines.write(id(random() < 0.2 ? 'bad' : 'line'));
        } else if (what < 0.65) {
          for (let left = 1 + upTo(4); left > 0; left--)
            reported.push(link.streamed(chunk('task', chunks++), patienceMs));
        } else if (what < 0.67) {
          const batchId = id('batch');
          const { STEP_EVENT_TYPE_STARTED: began, STEP_EVENT_TYPE_COMPLETED: ended } = StepActionEventType;
          for (const type of [began, ended]) reported.push(link.reportedBatch(batchReport(batchId, type), patienceMs));
          batches += 2;
        } else if (what < 0.75) {
          const taskId = newId();
          if (world.assign('w', taskId)) assigned.push(taskId);
        } else if (what < 0.82) durable.ask(id('memo'));
        else if (what < 0.86) world.cut();
        else if (what < 0.88 && mayRestart) {
          world.restart();
          forgotten = true;
        } else await vi.advanceTimersByTimeAsync(upTo(60));
        if (random() < 0.3) for (const runId of world.runs.keys()) if (random() < 0.2) world.endRun(runId);
      }
      world.refuses = () => false;
      const all = Promise.all([...started, ...reported, lines.done()]);
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
        expect([...world.batches.values()].filter((count) => count !== 1)).toEqual([]);
        expect(seen).toEqual(assigned);
        expect(world.operations).toEqual(durable.asked);
      }
      // What was lost with a session is not sent again by the link.
      expect(world.operations).toEqual(durable.asked.filter((key) => world.operations.includes(key)));
      expect(world.operations).toEqual(expect.arrayContaining(durable.answered));
      expect(durable.answered).toEqual(durable.asked.filter((key) => durable.answered.includes(key)));
      expect(durable.answered.length + durable.lost).toBe(durable.asked.length);
      expect(world.reports.size).toBe(results * 2);
      expect(world.batches.size).toBe(batches);
      const came = world.chunks.get('task') ?? [];
      const stored = world.lines.get('task') ?? [];
      expect(forgotten ? [...new Set(came)] : came).toEqual([...Array(chunks).keys()]);
      const isBad = (message: string): boolean => message.startsWith('bad');
      expect(forgotten ? [...new Set(stored)] : stored).toEqual(lines.written.filter((message) => !isBad(message)));
      expect(lines.refused).toEqual(lines.written.filter(isBad));
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
    await expect(completed(world.link, 't')).rejects.toBeInstanceOf(NotOfferedError);
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

describe('durable streams by a link', () => {
  it("carry a turn's operations in one frame, beside what else comes up in it, and so come the answers", async () => {
    const world = quick();
    const frames: ConnectRequest[] = [];
    world.sees = (frame) => void frames.push(frame);
    const durable = new DurableWorker(world.link);
    await vi.advanceTimersByTimeAsync(10);
    const [frameCount, toldCount] = [frames.length, world.told.length];
    const keys = Array.from({ length: 150 }, (_, n) => `memo-${n}`);
    for (const key of keys) durable.ask(key);
    world.link.started({ taskId: 'task', attempt: 0, invocation: 1 }, patienceMs, expectTaken);
    const triggered = world.link.trigger(request, { runId: newId(), isAwaited: false, patienceMs });
    world.commandMs = () => 0;
    await vi.advanceTimersByTimeAsync(200);
    await triggered;
    expect(durable.answered).toEqual(keys);
    const [frame, ...others] = frames.slice(frameCount);
    expect(others).toEqual([]);
    expect(frame?.durable.map(({ workerId, requests }) => [workerId, requests.length])).toEqual([['w', 150]]);
    expect([frame?.started.length, frame?.triggers.length]).toEqual([1, 1]);
    const told = world.told.slice(toldCount).filter(({ durable: answers }) => answers.length > 0);
    expect(told.map(({ durable: answers }) => answers.map(({ responses }) => responses.length))).toEqual([[150]]);
  });

  it('have what may be under way: the next operations leave once the engine has carried some out', async () => {
    const world = quick();
    world.commandMs = () => 10;
    const durable = new DurableWorker(world.link);
    await vi.advanceTimersByTimeAsync(50);
    const most = Array.from({ length: 6_000 }, (_, n) => `memo-${n}`);
    for (const key of most) durable.ask(key);
    let sent = 0;
    world.sees = (frame) => void (sent += frame.durable.reduce((sum, { requests }) => sum + requests.length, 0));
    await vi.advanceTimersByTimeAsync(100);
    expect(sent).toBe(4_000);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(durable.answered).toEqual(most);
  });

  it('end as if they broke where the engine has forgotten the session: what was sent does not come again', async () => {
    const { streams, connection } = byHand();
    const link = new EngineLink(connection);
    const ends: unknown[] = [];
    const states: string[] = [];
    const open = (): LinkedDurableStream =>
      link.openDurable('w', {
        onMessage: () => undefined,
        onCut: () => void states.push('cut'),
        onResumed: () => void states.push('resumed'),
        onEnded: (error) => void ends.push(error),
      });
    const welcome = (engineId: string): Partial<ConnectResponse> => ({
      welcome: { engineId, mostCommands: 4_000, mostBytes: 16_000_000, offers: 'evictions,durable-sessions' },
    });
    const stream = open();
    stream.send(memo('one'));
    streams.at(-1)?.say(welcome('first'));
    await vi.advanceTimersByTimeAsync(10);
    streams.at(-1)?.emit('end');
    stream.send(memo('two'));
    await vi.advanceTimersByTimeAsync(5_000);
    streams.at(-1)?.say(welcome('first'));
    await vi.advanceTimersByTimeAsync(10);
    const sent = (): string[] =>
      (streams.at(-1)?.requests ?? []).flatMap(({ durable }) =>
        durable.flatMap(({ requests }) =>
          requests.map(({ message }) => (message?.$case === 'memo' ? Buffer.from(message.value.key).toString() : '')),
        ),
      );
    expect([sent(), states, ends]).toEqual([['one', 'two'], ['cut', 'resumed'], []]);
    streams.at(-1)?.emit('end');
    stream.send(memo('three'));
    await vi.advanceTimersByTimeAsync(5_000);
    streams.at(-1)?.say(welcome('second'));
    await vi.advanceTimersByTimeAsync(10);
    stream.send(memo('four'));
    await vi.advanceTimersByTimeAsync(10);
    expect(sent()).toEqual([]);
    expect(ends).toEqual([expect.objectContaining({ code: status.UNAVAILABLE })]);
    expect(
      streams
        .at(-1)
        ?.requests.filter(({ number }) => number > 0n)
        .map(({ number }) => number),
    ).toEqual([1n, 2n]);
    // An engine that carries none by sessions.
    open().send(memo('five'));
    streams.at(-1)?.emit('end');
    await vi.advanceTimersByTimeAsync(5_000);
    streams.at(-1)?.say({ welcome: { engineId: 'third', mostCommands: 4_000, mostBytes: 16_000_000, offers: '' } });
    expect(link.carriesDurable).toBe(false);
    expect(ends.length).toBe(2);
    open();
    await vi.advanceTimersByTimeAsync(10);
    expect(ends[2]).toBeInstanceOf(NotOfferedError);
    link.close(new Error('over'));
  });

  it('keep the link, and end with the status that the engine says', async () => {
    const { streams, connection } = byHand();
    const link = new EngineLink(connection);
    const seen: unknown[] = [];
    const stream = link.openDurable('w', {
      onMessage: (message) => void seen.push(message.$case),
      onCut: () => undefined,
      onResumed: () => undefined,
      onEnded: (error) => void seen.push(error),
    });
    stream.send({ $case: 'registerWorker', value: { workerId: 'w' } });
    streams[0]?.say({
      welcome: { engineId: 'e', mostCommands: 4_000, mostBytes: 16_000_000, offers: 'durable-sessions' },
    });
    await vi.advanceTimersByTimeAsync(10);
    streams[0]?.say({ number: 1n, done: [1n] });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(link.isOpen).toBe(true);
    const registered = { message: { $case: 'registerWorker', value: { workerId: 'w' } } } as const;
    const ended = { workerId: 'w', responses: [registered], status: status.NOT_FOUND, details: 'no worker' };
    streams[0]?.say({ number: 2n, durable: [ended] });
    streams[0]?.say({ number: 3n, durable: [{ workerId: 'w', responses: [registered], details: '' }] });
    expect(seen).toEqual(['registerWorker', expect.objectContaining({ code: status.NOT_FOUND })]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(link.isOpen).toBe(false);
    expect(streams.length).toBe(1);
    link.close(new Error('over'));
  });
});

it('what a program has said is hurried before a cut detaches its workers', async () => {
  const world = quick();
  const attached: boolean[] = [];
  world.onCut = () => void attached.push(world.workers.has('w'));
  world.link.attach('w', worker([]));
  await vi.advanceTimersByTimeAsync(100);
  world.cut();
  expect([attached, world.workers.size]).toEqual([[true], 0]);
  world.link.close(new Error('over'));
});

it('no more is on its way than the engine has said', async () => {
  const world = quick();
  world.commandMs = () => 1_000;
  let open = 0;
  world.sees = () => void open++;
  for (let n = 0; n < 10_000; n++) world.link.started({ taskId: `t${n}`, attempt: 0 }, patienceMs, expectTaken);
  await vi.advanceTimersByTimeAsync(500);
  expect(open).toBe(20);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(world.reports.size).toBe(10_000);
});

describe('chunks and lines', () => {
  it('are in frames of their own, and where their store is slow, nothing else waits for it', async () => {
    const world = quick();
    const mixed: string[] = [];
    let apart = 0;
    world.sees = ({ chunks, lines, triggers, completed }) => {
      if (chunks.length + lines.length > 0) apart++;
      const kinds = Object.entries({ chunks, lines, tasks: [...triggers, ...completed] });
      const held = kinds.filter(([, list]) => list.length > 0).map(([name]) => name);
      if (held.length > 1) mixed.push(held.join(' and '));
    };
    world.commandMs = ({ chunks, lines }) => (chunks.length + lines.length > 0 ? 10_000 : 1);
    const sent: Promise<unknown>[] = [];
    for (let n = 0; n < 10_000; n++) sent.push(world.link.streamed(chunk('task', n), patienceMs * 10));
    const logged = world.link.logged([line('task', 'one')], { patienceMs, signal: new AbortController().signal });
    const triggered = world.link.trigger(request, { runId: newId(), isAwaited: false, patienceMs });
    const reported = completed(world.link, 't');
    await vi.advanceTimersByTimeAsync(100);
    expect([world.runs.size, world.reports.size, world.lines.size]).toEqual([1, 1, 0]);
    await Promise.all([triggered, reported]);
    expect(apart).toBe(10);
    await vi.advanceTimersByTimeAsync(100_000);
    await Promise.all([...sent, logged]);
    expect(mixed).toEqual([]);
    expect(world.chunks.get('task')).toEqual([...Array(10_000).keys()]);
  });

  it('a line that is refused costs the others of its frame nothing', async () => {
    const world = quick();
    const { signal } = new AbortController();
    world.refusesLine = (message) => (message === 'bad' ? status.INVALID_ARGUMENT : undefined);
    const send = (...messages: string[]): Promise<ReadonlyMap<number, unknown>> =>
      world.link.logged(
        messages.map((message) => line('task', message)),
        { patienceMs, signal },
      );
    const [first, second] = [send('one', 'bad', 'two'), send('three')];
    await vi.advanceTimersByTimeAsync(100);
    expect([...(await first)].map(([index, error]) => [index, statusOf(error)])).toEqual([
      [1, status.INVALID_ARGUMENT],
    ]);
    expect(await second).toEqual(new Map());
    expect(world.lines.get('task')).toEqual(['one', 'two', 'three']);
  });

  it('lines that have left wait for their engine, however long it is away; those that have not are given back', async () => {
    const world = quick();
    world.commandMs = () => 50;
    const { signal } = new AbortController();
    const left = world.link.logged([line('task', 'left')], { patienceMs: 1_000, signal });
    await vi.advanceTimersByTimeAsync(30);
    world.answer = status.UNAVAILABLE;
    world.restart();
    await vi.advanceTimersByTimeAsync(30);
    const kept = world.link.logged([line('task', 'kept')], { patienceMs: 1_000, signal });
    kept.catch(() => undefined);
    await vi.advanceTimersByTimeAsync(60_000);
    await expect(kept).rejects.toMatchObject({ code: status.UNAVAILABLE });
    world.answer = status.OK;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await left).toEqual(new Map());
    expect(world.lines.get('task')).toEqual(['left']);
  });

  it('lines that nobody wants any more are not sent again, and keep no link open', async () => {
    const world = quick();
    world.commandMs = () => 50;
    const stopping = new AbortController();
    const options = { patienceMs, signal: stopping.signal };
    const sent = world.link.logged([line('task', 'sent')], options);
    await vi.advanceTimersByTimeAsync(30);
    world.answer = status.UNAVAILABLE;
    world.restart();
    await vi.advanceTimersByTimeAsync(30);
    const queued = world.link.logged([line('task', 'queued')], options);
    for (const each of [sent, queued]) each.catch(() => undefined);
    stopping.abort(new Error('the worker stops'));
    for (const each of [sent, queued]) await expect(each).rejects.toThrow('the worker stops');
    await vi.advanceTimersByTimeAsync(10_000);
    const { streams } = world;
    world.answer = status.OK;
    await vi.advanceTimersByTimeAsync(10_000);
    expect([world.streams, world.lines.size]).toEqual([streams, 0]);
  });
});

it('what was refused in a session that is forgotten does not count: the lines come again', async () => {
  const { streams, connection } = byHand();
  const link = new EngineLink(connection);
  const logged = link.logged([line('task', 'one')], { patienceMs, signal: new AbortController().signal });
  const first = streams.at(-1);
  first?.say({ welcome: { engineId: 'first', mostCommands: 4_000, mostBytes: 16_000_000, offers: '' } });
  await vi.advanceTimersByTimeAsync(10);
  expect(first?.requests.at(-1)).toMatchObject({ number: 1n, lines: [{ message: 'one' }] });
  const { COMMAND_KIND_LINE: kind } = CommandKind;
  const refusal = { frame: 1n, kind, index: 0, status: status.INTERNAL, details: '', errorCode: '' };
  first?.say({ number: 1n, refusals: [{ ...refusal, statusDetails: Buffer.alloc(0) }] });
  first?.emit('end');
  await vi.advanceTimersByTimeAsync(5_000);
  const second = streams.at(-1);
  expect(second).not.toBe(first);
  second?.say({ welcome: { engineId: 'second', mostCommands: 4_000, mostBytes: 16_000_000, offers: '' } });
  expect(second?.requests.at(-1)).toMatchObject({ number: 1n, lines: [{ message: 'one' }] });
  second?.say({ number: 1n, done: [1n] });
  expect(await logged).toEqual(new Map());
  link.close(new Error('over'));
});

it('a program whose calls have all failed may end: nothing is sent again that nobody waits for', async () => {
  const world = quick();
  world.commandMs = () => 1e9; // stored, perhaps, and never acknowledged
  const triggered = world.link.trigger(request, { runId: newId(), isAwaited: true, patienceMs: 2_000 });
  triggered.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(100);
  world.answer = status.UNAVAILABLE;
  world.cut();
  await vi.advanceTimersByTimeAsync(5_000);
  await expect(triggered).rejects.toMatchObject({ code: status.UNAVAILABLE });
  await vi.advanceTimersByTimeAsync(20_000); // the engine's end of the session is forgotten too
  const { streams } = world;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(world.streams).toBe(streams);
});
