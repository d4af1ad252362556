import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Dispatcher, type DispatcherPorts } from '../../../engine/dispatch/dispatcher.ts';
import { HatchetError } from '../../../engine/errors.ts';
import { createLog } from '../../../engine/log.ts';

const tenantId = 't';
const workerId = 'w';
const link = { send: () => undefined, close: () => undefined };

let nowMs: number;
let said: string[];
/** Postgres is away for longer than commands wait. */
let away: boolean;
let dispatcher: Dispatcher;

function say(what: string): Promise<void> {
  if (away) return Promise.reject(new HatchetError('NOT_OWNER', 'no engine could take this on'));
  said.push(what);
  return Promise.resolve();
}

const ports: DispatcherPorts = {
  presence: ({ presence }) => say(presence),
  workerLost: ({ forget, processEnd }) => say(`${forget ? 'forgotten' : 'lost'}${processEnd === undefined ? '' : ` by ${processEnd}`}`),
  workersOfProcess: (_, process) => (process === 'p' ? [workerId] : []),
  cancelSent: (_, { taskId }) => say(`told ${taskId}`),
  returnUnsent: (_, { taskId }) => say(`unsent ${taskId}`),
  reassignUnstarted: (_, { taskId }) => say(`unstarted ${taskId}`),
  unstarted: () => [],
  readRuns: () => Promise.resolve(new Map()),
  readOutputs: () => Promise.resolve(new Map()),
  readErrors: () => Promise.resolve(new Map()),
  nowMs: () => nowMs,
};

beforeEach(() => {
  vi.useFakeTimers();
  [nowMs, said, away] = [1_000_000, [], false];
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
  dispatcher.cancel('gone', { kind: 'cancel', tenantId, runId: 'r', taskId: 'a', stepName: 's', action: 'x', attempt: 0, invocation: null });
  await pass(31_000); // and lost
  expect(said).toEqual(['fit']);
  away = false;
  await pass(1_000);
  expect(said.slice(1).sort()).toEqual(['lost', 'told a', 'unfit']);
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

it('what was to be said of attempts before a take-over is not said after it', async () => {
  away = true;
  dispatcher.cancel('gone', { kind: 'cancel', tenantId, runId: 'r', taskId: 'a', stepName: 's', action: 'x', attempt: 0, invocation: null });
  await vi.advanceTimersByTimeAsync(0);
  dispatcher.announceAll();
  away = false;
  await pass(5_000);
  expect(said).toEqual([]);
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
