import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { RunResultStream, subscriberOf } from '../../../../engine/grpc/runs/run-result-stream.ts';
import { newId } from '../../../../engine/model/ids/uuid.ts';
import type { TaskResult } from '../../../../engine/monitor/runs/run-end-waiters.ts';
import type { WorkflowRunEvent } from '../../../../proto/gen/hatchet/contract/dispatcher.ts';
import type { TenantId } from '../../../../engine/model/ids/tenant-id.ts';
import { tenantOf } from '../../../helpers/tenant.ts';

/** A stream whose client reads, or does not. */
class Call extends EventEmitter {
  readonly written: WorkflowRunEvent[] = [];
  isFull = false;
  cancelled = false;
  paused = false;
  /** Messages after which the client is behind. */
  room = Infinity;

  /** Of what was written and is not sent. */
  readonly unsent: (() => void)[] = [];
  holds = false;

  write(event: WorkflowRunEvent, sent: () => void): void {
    this.written.push(event);
    if (--this.room <= 0) this.isFull = true;
    if (this.holds) this.unsent.push(sent);
    else sent();
  }

  read(room: number): void {
    this.room = room;
    this.isFull = false;
    this.emit('drain');
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}

/** Runs that end when they are told to; asked for again, they are read. */
class Results {
  readonly ended = new Map<string, TaskResult>();
  readonly waiting = new Map<string, (results: readonly TaskResult[]) => void>();
  readonly reads: string[] = [];

  wait(_tenantId: TenantId, runId: string, listener: (results: readonly TaskResult[]) => void): () => void {
    this.waiting.set(runId, listener);
    if (this.ended.has(runId)) this.reads.push(runId);
    return () => void this.waiting.delete(runId);
  }

  end(runId: string, output = '{}'): void {
    this.ended.set(runId, { taskId: runId, stepName: 'one', output, error: null });
    this.tell(runId);
  }

  tell(runId: string): void {
    const result = this.ended.get(runId);
    const listener = this.waiting.get(runId);
    this.waiting.delete(runId);
    if (result !== undefined) listener?.([result]);
  }

  /** Postgres answers all that is asked of it. */
  answer(): void {
    for (const runId of this.reads.splice(0)) this.tell(runId);
  }
}

function subscribed(count: number): { call: Call; results: Results; subscription: RunResultStream; ids: string[] } {
  const call = new Call();
  const results = new Results();
  const subscription = new RunResultStream(results, { tenantId: tenantOf('t'), call });
  const ids = Array.from({ length: count }, newId);
  for (const id of ids) subscription.add(id);
  return { call, results, subscription, ids };
}

it('holds no results for a client that does not read, and reads them again, a page at a time, once it does', () => {
  const { call, results, ids } = subscribed(1000);
  call.room = 10;
  for (const id of ids) results.end(id);
  expect(call.written).toHaveLength(10);
  expect(results.waiting.size).toBe(0);

  call.read(30);
  expect(results.reads.length).toBeLessThanOrEqual(50);
  results.answer();
  expect(call.written).toHaveLength(40);
  for (let turns = 0; call.written.length < 1000 && turns < 1000; turns++) {
    call.read(100);
    while (results.reads.length > 0) {
      expect(results.reads.length).toBeLessThanOrEqual(100); // the page before may be under way
      results.answer();
    }
  }
  expect(call.written.map((event) => event.workflowRunId).sort()).toEqual([...ids].sort());
});

it('holds no more large results than are being sent, however few messages they are', () => {
  const { call, results, ids } = subscribed(10);
  call.holds = true;
  for (const id of ids) results.end(id, JSON.stringify('x'.repeat(800_000)));
  expect(call.written).toHaveLength(2);
  for (let turns = 0; call.written.length < 10 && turns < 10; turns++) {
    call.unsent.shift()?.();
    results.answer();
    expect(call.unsent.length).toBeLessThanOrEqual(2);
  }
  expect(call.written.map((event) => event.workflowRunId).sort()).toEqual([...ids].sort());
});

it('goes on where one of those that ended was replayed meanwhile', () => {
  const { call, results, ids } = subscribed(200);
  call.room = 1;
  for (const id of ids) results.end(id);
  const replayed = ids.slice(1, 41);
  for (const id of replayed) results.ended.delete(id);
  call.read(Infinity);
  while (results.reads.length > 0) results.answer();
  expect(call.written).toHaveLength(200 - replayed.length);
  for (const id of replayed) results.end(id);
  expect(call.written).toHaveLength(200);
});

it('reads no further requests while it waits for very many runs, until some have ended', () => {
  const { call, results, ids } = subscribed(200_000);
  expect(call.paused).toBe(true);
  results.end(ids[0] ?? '');
  expect(call.paused).toBe(false);
});

it('waits for nothing any more once it is stopped', () => {
  const { results, subscription } = subscribed(10);
  subscription.stop();
  expect(results.waiting.size).toBe(0);
});

/** A stream of the contract whose client reads nothing: what is written stays in its library. */
class UnreadCall extends Writable {
  readonly cancelled = false;

  constructor() {
    super({ objectMode: true, write: () => undefined });
  }

  pause(): this {
    return this;
  }

  resume(): this {
    return this;
  }
}

it('tells what one transaction has ended at once, also where the library would call the stream full', () => {
  const call = new UnreadCall();
  const results = new Results();
  const subscription = new RunResultStream(results, { tenantId: tenantOf('t'), call: subscriberOf(call) });
  const ids = Array.from({ length: 2_000 }, newId);
  for (const id of ids) subscription.add(id);
  for (const id of ids.slice(0, 500)) results.end(id);
  expect(call.writableNeedDrain).toBe(true);
  expect(call.writableLength).toBe(500);
  // And no more than a bound: the others wait for the client.
  for (const id of ids.slice(500)) results.end(id);
  expect(call.writableLength).toBe(1_000);
  expect(results.reads).toEqual([]);
});
