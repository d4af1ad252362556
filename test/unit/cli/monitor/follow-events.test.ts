import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { followEvents } from '../../../../cli/monitor/follow-events.ts';
import type { EventBatch, EventRow, RunReader } from '../../../../cli/monitor/run-reader.ts';
import { ServerError } from '../../../../cli/output/server-error.ts';

const journal = Array.from({ length: 10 }, (_, index): EventRow => ({
  cursor: String(index).padStart(4, '0'),
  time: null,
  runId: 'r',
  workflow: 'w',
  taskId: '',
  task: 't',
  attempt: 0,
  type: 'STARTED',
  status: 'RUNNING',
  message: '',
  workerId: null,
}));

const unused = (): never => {
  throw new Error('not part of this test');
};

/** An engine whose streams break after `each` events, and that is away in between. */
function flaky(each: number, away: number) {
  let refusals = 0;
  let opened = 0;
  const connect = (): RunReader => ({
    async *streamEvents({ after }): AsyncGenerator<EventBatch> {
      opened++;
      if (opened > 1 && refusals < away * (opened - 1) && opened % 2 === 0) {
        refusals++;
        throw new ServerError('away', { status: status.UNAVAILABLE, cause: undefined });
      }
      const rest = journal.filter((event) => after === undefined || event.cursor > after);
      for (const event of rest.slice(0, each)) yield { events: [event], cursor: event.cursor, live: true };
      if (rest.length > each) throw new ServerError('cut', { status: status.CANCELLED, cause: undefined });
    },
    listRuns: unused,
    getRun: unused,
    whyRun: unused,
    runsOfEvent: unused,
    getDurableLog: unused,
    streamDurableLog: unused,
    listEvents: unused,
    exportRuns: unused,
    listLogs: unused,
    streamLogs: unused,
    listWorkflows: unused,
    getWorkflow: unused,
    listWorkers: unused,
    streamOverview: unused,
    listQueues: unused,
    streamQueues: unused,
    listSchedules: unused,
    streamSchedules: unused,
    close: () => undefined,
  });
  return connect;
}

describe('followEvents', () => {
  it('hands each event on once, in order, across disconnects', async () => {
    const seen: string[] = [];
    const lost: string[] = [];
    let back = 0;
    const hooks = {
      signal: new AbortController().signal,
      patienceMs: 10_000,
      onLost: (why: string) => lost.push(why),
      onBack: () => back++,
    };
    for await (const { events } of followEvents(flaky(4, 1), { runId: 'r' }, hooks))
      seen.push(...events.map((event) => event.cursor));
    expect(seen).toEqual(journal.map((event) => event.cursor));
    expect(lost.length).toBeGreaterThan(0);
    expect(back).toBe(lost.length);
  });

  it('fails at once when it never reached the engine', async () => {
    const connect = (): RunReader => {
      throw new ServerError('away', { status: status.UNAVAILABLE, cause: undefined });
    };
    const hooks = { signal: new AbortController().signal, patienceMs: 10_000 };
    await expect(followEvents(connect, {}, hooks).next()).rejects.toThrow('away');
  });

  it('gives up when its patience is spent', async () => {
    let opened = 0;
    const once = flaky(1, 0);
    const connect = (): RunReader => {
      if (opened++ > 0) throw new ServerError('away for good', { status: status.UNAVAILABLE, cause: undefined });
      return once();
    };
    const read = async (): Promise<void> => {
      for await (const batch of followEvents(connect, {}, { signal: new AbortController().signal, patienceMs: 100 }))
        expect(batch.events).toHaveLength(1);
    };
    await expect(read()).rejects.toThrow('away for good');
  });

  it('ends when it is interrupted', async () => {
    const abort = new AbortController();
    let count = 0;
    for await (const batch of followEvents(flaky(100, 0), {}, { signal: abort.signal, patienceMs: 1000 })) {
      count += batch.events.length;
      if (count === 3) abort.abort();
    }
    expect(count).toBeGreaterThanOrEqual(3);
  });
});
