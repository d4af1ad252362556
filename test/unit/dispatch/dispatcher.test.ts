import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Dispatcher, type DispatcherPorts } from '../../../engine/dispatch/dispatcher.ts';
import { HatchetError } from '../../../engine/base/errors.ts';
import { shardCount, shardOf } from '../../../engine/model/ids/shard-of.ts';
import { createLog } from '../../../engine/base/log.ts';
import { tenantOf } from '../../helpers/tenant.ts';

const tenantId = tenantOf('t');
const workerId = 'w';
const link = { send: () => undefined, close: () => undefined };

let nowMs: number;
/** The engine stood still a moment ago. */
let catchingUp: boolean;
let said: string[];
/** No payload can be read. */
let unreadable: boolean;
/** Postgres is away for longer than commands wait. */
let away: boolean;
let dispatcher: Dispatcher;

/** What of, Postgres refuses to store anything, so many times. */
let refusals: Record<string, number>;

function say(what: string): Promise<void> {
  if ((refusals[what] ?? 0) > 0) {
    refusals[what] = (refusals[what] ?? 0) - 1;
    return Promise.reject(new HatchetError('COMMAND_FAILED', 'Postgres refused it'));
  }
  if (away) return Promise.reject(new HatchetError('NOT_OWNER', 'no engine could take this on'));
  said.push(what);
  return Promise.resolve();
}

const payload = {
  input: '{}',
  metadata: '{}',
  filterPayload: null,
  parentTaskId: null,
  childIndex: null,
  childKey: null,
};

const ports: DispatcherPorts = {
  presence: ({ presence }) => say(presence),
  workerLost: ({ forget, connected, processEnd }) =>
    say(
      `${forget ? 'forgotten' : 'lost'}${connected ? ' while connected' : ''}${processEnd === undefined ? '' : ` by ${processEnd}`}`,
    ),
  workersOfProcess: (_, process) => (process === 'p' ? [workerId] : []),
  cancelSent: (_, { taskId }) => say(`told ${taskId}`),
  returnUnsent: (_, { taskId }) => say(`unsent ${taskId}`),
  reassignUnstarted: (_, { taskId }) => say(`unstarted ${taskId}`),
  unanswered: ({ attempts }) => say(`unanswered ${attempts.map(({ taskId }) => taskId).join()}`),
  workerAnswered: () => say('answered'),
  workerOf: (_, { taskId }) => (taskId.startsWith('own') ? workerId : undefined),
  unstarted: () => [],
  readRuns: (runIds) =>
    unreadable
      ? Promise.reject(new Error('Postgres is away'))
      : Promise.resolve(new Map(runIds.map((id) => [id, payload]))),
  readOutputs: () => Promise.resolve(new Map()),
  readErrors: () => Promise.resolve(new Map()),
  readInputs: () => Promise.resolve(new Map()),
  nowMs: () => nowMs,
  isCatchingUp: () => catchingUp,
};

const cancelOf = (taskId: string): Parameters<Dispatcher['cancel']>[1] => ({
  kind: 'cancel',
  tenantId,
  runId: 'r',
  taskId,
  stepName: 's',
  action: 'x',
  attempt: 0,
  invocation: null,
});

beforeEach(() => {
  vi.useFakeTimers();
  [nowMs, said, away, catchingUp, unreadable, refusals] = [1_000_000, [], false, false, false, {}];
  dispatcher = new Dispatcher({ ports, log: createLog('silent'), workerTimeoutMs: 30_000 });
});

afterEach(() => {
  dispatcher.stop();
  vi.useRealTimers();
});

async function pass(ms: number): Promise<void> {
  nowMs += ms;
  await vi.advanceTimersByTimeAsync(1_000);
}

it('a worker that is lost may come back for a day, and is then forgotten', async () => {
  dispatcher.addWorker(tenantId, workerId);
  await pass(31_000);
  expect(said).toEqual(['lost']);
  await pass(86_000_000);
  dispatcher.heartbeat(tenantId, workerId);
  await pass(31_000);
  expect(said).toEqual(['lost', 'lost']);
  await pass(86_400_000);
  expect(said).toEqual(['lost', 'lost', 'forgotten']);
  expect(dispatcher.session(tenantId, workerId)).toBeUndefined();
  expect(() => dispatcher.heartbeat(tenantId, workerId)).toThrow(expect.objectContaining({ code: 'UNKNOWN_WORKER' }));
});

it('a worker that says good-bye after it was lost is forgotten at once', async () => {
  dispatcher.addWorker(tenantId, workerId);
  await pass(31_000);
  dispatcher.endWorker(workerId);
  await pass(1_000);
  expect(said).toEqual(['lost', 'forgotten']);
  expect(dispatcher.session(tenantId, workerId)).toBeUndefined();
});

it('what could not be said while Postgres was away is said once it is back', async () => {
  dispatcher.addWorker(tenantId, workerId);
  dispatcher.attach(tenantId, workerId, link);
  dispatcher.heartbeat(tenantId, workerId);
  expect(said).toEqual(['fit']);

  away = true;
  await pass(10_000); // late: it gets nothing new
  dispatcher.cancel('gone', cancelOf('a'));
  await pass(31_000); // and lost
  expect(said).toEqual(['fit']);
  away = false;
  await pass(1_000);
  expect(said.slice(1).sort()).toEqual(['lost while connected', 'told a', 'unfit']);
  await pass(1_000);
  expect(said).toHaveLength(4);
});

it('a worker that came back while Postgres was away gets tasks once that is back', async () => {
  dispatcher.addWorker(tenantId, workerId);
  dispatcher.attach(tenantId, workerId, link);
  dispatcher.heartbeat(tenantId, workerId);
  await pass(10_000);
  expect(said).toEqual(['fit', 'unfit']);
  away = true;
  dispatcher.heartbeat(tenantId, workerId);
  await pass(1_000);
  away = false;
  await pass(1_000);
  expect(said).toEqual(['fit', 'unfit', 'fit']);
});

it('nobody is judged before what was said during a standstill of the engine has been read', async () => {
  const detach = sent(sending('a'));
  nowMs += 29_000; // by the clock of the engine, which was awake for so long
  catchingUp = true;
  for (let n = 0; n < 5; n++) await pass(1_000);
  expect(said).toEqual([]);
  detach(); // its end is read before its last heartbeats
  expect(said).toEqual(['away']);
  dispatcher.heartbeat(tenantId, workerId);
  catchingUp = false;
  await pass(1_000);
  expect(said).toEqual(['away']);
});

it('a worker that is lost with its stream open is told that its attempts are over; without one nobody is', async () => {
  const told: string[] = [];
  dispatcher.addWorker(tenantId, workerId);
  const detach = dispatcher.attach(tenantId, workerId, { ...link, send: (message) => told.push(message.kind) });
  dispatcher.heartbeat(tenantId, workerId);
  await pass(31_000);
  expect(said).toEqual(['fit', 'unfit', 'lost while connected']);
  dispatcher.cancel(workerId, cancelOf('a'));
  expect(told).toEqual(['cancel']);
  detach();
  dispatcher.cancel(workerId, cancelOf('b'));
  await pass(0);
  expect(said.slice(3)).toEqual(['told a', 'away', 'told b']);
});

it('a worker that said good-bye and fell silent is told first, and forgotten then', async () => {
  dispatcher.addWorker(tenantId, workerId);
  dispatcher.attach(tenantId, workerId, link);
  dispatcher.heartbeat(tenantId, workerId);
  dispatcher.endWorker(workerId);
  await pass(31_000);
  await pass(1_000);
  expect(said).toEqual(['fit', 'unfit', 'lost while connected', 'forgotten while connected']);
  expect(dispatcher.session(tenantId, workerId)).toBeUndefined();
});

it('what was to be said of attempts before a take-over is not said after it', async () => {
  away = true;
  dispatcher.cancel('gone', cancelOf('a'));
  await vi.advanceTimersByTimeAsync(0);
  dispatcher.announceAll(new Set([shardOf(tenantId)]));
  away = false;
  await pass(5_000);
  expect(said).toEqual([]);
});

it('what was to be said of attempts is said all the same after a take-over of other shards', async () => {
  away = true;
  dispatcher.cancel('gone', cancelOf('a'));
  await vi.advanceTimersByTimeAsync(0);
  dispatcher.announceAll(new Set([(shardOf(tenantId) + 1) % shardCount]));
  away = false;
  await pass(5_000);
  expect(said).toEqual(['told a']);
});

it('what Postgres refuses to store of an attempt or a worker is said again, after pauses that grow', async () => {
  dispatcher.addWorker(tenantId, workerId);
  dispatcher.attach(tenantId, workerId, link);
  refusals = { 'told a': 3, 'lost while connected': 1 };
  dispatcher.cancel(workerId, cancelOf('a'));
  await pass(1_000);
  expect([said, refusals['told a']]).toEqual([['fit'], 1]);
  for (let n = 0; n < 10; n++) await pass(1_000);
  expect([said, refusals['told a']]).toEqual([['fit', 'told a'], 0]);
  await pass(60_000);
  expect(said).toEqual(['fit', 'told a', 'unfit']);
  for (let n = 0; n < 62; n++) await pass(1_000);
  expect(said).toEqual(['fit', 'told a', 'unfit', 'lost while connected']);
});

it('a process that ended takes its workers with it as soon as their streams have ended, not before', async () => {
  dispatcher.addWorker(tenantId, workerId);
  const detach = dispatcher.attach(tenantId, workerId, link);
  expect(dispatcher.processEnded(tenantId, 'p', 'SIGKILL')).toEqual([workerId]);
  expect(dispatcher.processEnded(tenantId, 'another', 'SIGKILL')).toEqual([]);
  await pass(1_000);
  expect(said).toEqual(['fit']);
  detach();
  expect(said).toEqual(['fit', 'away', 'forgotten by SIGKILL']);
  await pass(1_000);
  expect(said).toHaveLength(3);
  expect(dispatcher.session(tenantId, workerId)).toBeUndefined();
});

it('a worker that comes back by a new stream has not died, whatever was said of its process', async () => {
  dispatcher.addWorker(tenantId, workerId);
  dispatcher.attach(tenantId, workerId, link);
  dispatcher.processEnded(tenantId, 'p', 'exit code 1');
  const detach = dispatcher.attach(tenantId, workerId, { ...link });
  detach();
  await pass(1_000);
  expect(said).toEqual(['fit', 'away']);
});

const sending = (taskId: string, batchId: string | null = null): Parameters<Dispatcher['send']>[0][number] => ({
  assignments: [
    {
      tenantId,
      workerId,
      taskId,
      runId: taskId,
      workflowId: 'f',
      versionId: 'v',
      stepName: 's',
      action: 'a',
      attempt: 0,
      generation: 1,
      priority: 1,
      parents: [],
      failed: [],
      triggers: '{}',
      invocation: null,
      inputBranch: null,
    },
  ],
  batch: batchId === null ? null : { id: batchId, key: 'k', reason: 'r', atUs: 0 },
});

/** One that is there, and has been sent these. */
function sent(...sendings: ReturnType<typeof sending>[]): () => void {
  dispatcher.addWorker(tenantId, workerId);
  const detach = dispatcher.attach(tenantId, workerId, link);
  for (const { assignments } of sendings)
    for (const { runId } of assignments) dispatcher.payloads.putRun(runId, payload);
  dispatcher.send(sendings);
  said = [];
  return detach;
}

async function seconds(count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    dispatcher.heartbeat(tenantId, workerId); // from a thread of its own
    await pass(1_000);
  }
}

it('what a worker says nothing of for 5 s goes elsewhere, and only that', async () => {
  sent(sending('a'), sending('b'), sending('c', 'batch'), sending('d', 'batch'));
  await seconds(1);
  dispatcher.heard(tenantId, { taskId: 'b', attempt: 0, batchId: null });
  dispatcher.heard(tenantId, { taskId: 'd', attempt: null, batchId: 'batch' });
  await seconds(4);
  expect(said).toEqual([]);
  await seconds(1);
  expect(said).toEqual(['unanswered a,c']);
  await seconds(10);
  expect(said).toHaveLength(1);
});

it('a worker answers with whatever it says of what it had left unanswered', async () => {
  sent(sending('a'), sending('c', 'batch'));
  await seconds(6);
  dispatcher.heard(tenantId, { taskId: 'a', attempt: 1, batchId: null }); // another worker's, by now
  dispatcher.heard(tenantId, { taskId: 'c', attempt: null, batchId: 'another' });
  expect(said).toEqual(['unanswered a,c']);
  dispatcher.heard(tenantId, { taskId: 'c', attempt: null, batchId: 'batch' });
  dispatcher.heard(tenantId, { taskId: 'a', attempt: 0, batchId: null });
  expect(said).toEqual(['unanswered a,c', 'answered']);
});

it('a worker that connects anew answers, and what was sent on its old stream is found out otherwise', async () => {
  const detach = sent(sending('a'));
  await seconds(6);
  dispatcher.send([sending('a')]);
  detach();
  dispatcher.attach(tenantId, workerId, { ...link });
  await seconds(10);
  expect(said).toEqual(['unanswered a', 'away', 'answered', 'fit']);
});

it('a stall of the engine itself ages nothing', async () => {
  sent(sending('a'));
  nowMs += 60_000;
  await vi.advanceTimersByTimeAsync(1_000); // the timers of a minute come as one
  dispatcher.heard(tenantId, { taskId: 'a', attempt: 0, batchId: null });
  await seconds(10);
  expect(said.filter((what) => what.startsWith('unanswered'))).toEqual([]);
});

it('a worker that says something of other tasks is slow, not blocked', async () => {
  sent(sending('a'));
  for (let n = 0; n < 10; n++) {
    await seconds(1);
    dispatcher.heard(tenantId, { taskId: 'own', attempt: 0, batchId: null });
  }
  expect(said).toEqual([]);
  await seconds(6);
  expect(said).toEqual(['unanswered a']);
});

it('what a program says by its session, its workers have said', async () => {
  sent(sending('a'), sending('b'));
  for (let n = 0; n < 10; n++) {
    await seconds(1);
    dispatcher.spoke([workerId, 'nobody']);
    if (n === 2) dispatcher.heardOf({ taskId: 'b', attempt: 0 });
  }
  expect(said).toEqual([]);
  await seconds(6);
  expect(said).toEqual(['unanswered a']);
  dispatcher.heardOf({ taskId: 'a', attempt: 0 });
  expect(said).toEqual(['unanswered a', 'answered']);
});

describe('assignments whose payload has to be read', () => {
  let told: string[];

  function attached(): () => void {
    told = [];
    dispatcher.addWorker(tenantId, workerId);
    return dispatcher.attach(tenantId, workerId, {
      ...link,
      send: (message) => told.push(`${message.kind} ${message.taskId}`),
    });
  }

  it('wait while nothing can be read, cost no reassignment, and are sent then', async () => {
    attached();
    unreadable = true;
    dispatcher.send([sending('own a'), sending('own b'), sending('own c', 'batch')]);
    await pass(1_000);
    await pass(60_000);
    expect([told, said]).toEqual([[], ['fit', 'unfit', 'lost while connected']]);
    said = [];
    unreadable = false;
    for (let n = 0; n < 3; n++) await pass(1_000);
    expect([told, said]).toEqual([['start own a', 'start own b', 'startBatch own c'], []]);
  });

  it('are not sent once they are over, or somebody else has them', async () => {
    attached();
    unreadable = true;
    dispatcher.send([sending('own a'), sending('own b'), sending('moved')]);
    await pass(1_000);
    dispatcher.cancel(workerId, cancelOf('own a'));
    unreadable = false;
    for (let n = 0; n < 3; n++) await pass(1_000);
    expect(told).toEqual(['start own b']);
    expect(said).toEqual(['fit', 'told own a']);
  });

  it('are read for a few at a time, however many there are', async () => {
    attached();
    dispatcher.send(Array.from({ length: 1_000 }, (_, n) => sending(`own ${n}`)));
    for (let n = 0; n < 3; n++) await pass(100);
    expect(told).toEqual(Array.from({ length: 1_000 }, (_, n) => `start own ${n}`));
  });
});

describe('a shard that another engine serves', () => {
  it('leaves its workers to that engine: their streams end, and who comes again keeps its id', async () => {
    let ends = 0;
    const left: string[][] = [];
    dispatcher.stop();
    dispatcher = new Dispatcher({
      ports,
      log: createLog('silent'),
      workerTimeoutMs: 30_000,
      onLeft: (workerIds) => left.push([...workerIds]),
    });
    dispatcher.addWorker(tenantId, workerId);
    dispatcher.attach(tenantId, workerId, { send: () => undefined, close: () => ends++ });
    dispatcher.lost([shardOf(tenantId)]);
    await pass(1_000);
    expect(ends).toBe(0);
    await pass(5_000);
    expect([ends, left]).toEqual([1, [[workerId]]]);
    expect(() => dispatcher.attach(tenantId, workerId, link)).toThrow(expect.objectContaining({ code: 'NOT_OWNER' }));
    expect(() => dispatcher.heartbeat(tenantId, workerId)).toThrow(expect.objectContaining({ code: 'NOT_OWNER' }));
    // It is nobody here that could be lost.
    said = [];
    await pass(60_000);
    expect(said).toEqual([]);
  });

  it('keeps them where this engine serves it again at once', async () => {
    let ends = 0;
    dispatcher.addWorker(tenantId, workerId);
    dispatcher.attach(tenantId, workerId, { send: () => undefined, close: () => ends++ });
    dispatcher.lost([shardOf(tenantId)]);
    await pass(1_000);
    dispatcher.announceAll(new Set([shardOf(tenantId)]));
    await pass(20_000);
    expect(ends).toBe(0);
  });
});
