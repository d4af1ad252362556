/**
 * What metrics add to a task, in microseconds of the event loop: the counting of what committed transactions tell, 100 tasks each, as it is
 * called with each commit. `npx tsx bench/metrics.ts [rounds]`. Prints one JSON object.
 */
import { MetadataKeys } from '../engine/metrics/metadata-keys.ts';
import { TaskTally } from '../engine/metrics/task-tally.ts';
import { newTenantId } from '../engine/model/ids/tenant-id.ts';
import { newId } from '../engine/model/ids/uuid.ts';
import type { HistoryRow, ResultRow } from '../engine/model/stored-rows.ts';
import type { Effect } from '../engine/model/task/effect.ts';
import { RunStatus } from '../engine/model/task/status.ts';
import type { Transition } from '../engine/model/task/transition.ts';
import { ThreadTime } from '../engine/base/thread-time.ts';
import { round } from './turns/round.ts';

const rounds = Number(process.argv[2] ?? 5);
/** At a time, so that little is there to be collected but what counting leaves. */
const transactions = 50;
const blocks = 40;
const tasksEach = 100;
const tenantId = newTenantId();

interface Transaction {
  effects: Effect[];
  history: HistoryRow[];
  results: ResultRow[];
}

function historyRow(taskId: string, seq: number, transitions: Transition[]): HistoryRow {
  return {
    taskId,
    runId: taskId,
    seq,
    tenantId,
    attempt: 0,
    transitions,
    workerId: null,
    message: null,
    stepName: 'mail',
    workflowName: 'mail',
    waitedUs: 1000,
  };
}

/** As ids are that have come by the wire: one piece of text. */
function flatId(): string {
  return Buffer.from(newId()).toString('latin1');
}

/** Each task's start in one transaction, its end in the next. */
function makeTransactions(metadata: string): Transaction[] {
  let running: string[] = [];
  return Array.from({ length: transactions }, (_, number) => {
    const started = Array.from({ length: tasksEach }, flatId);
    const ended = running;
    running = started;
    const seq = number * 5_000;
    return {
      effects: started.map((runId) => ({
        kind: 'runCreated',
        runId,
        input: '{"n":1}',
        metadata,
        filterPayload: null,
        parentTaskId: null,
        childIndex: null,
        childKey: null,
      })),
      history: [
        ...ended.map((id) => historyRow(id, seq, ['SENT_TO_WORKER', 'STARTED', 'FINISHED', 'RUN_COMPLETED'])),
        ...started.map((id) => historyRow(id, seq, ['RUN_CREATED', 'CREATED', 'QUEUED', 'ASSIGNED'])),
      ],
      results: ended.map((taskId) => ({
        taskId,
        generation: 1,
        status: RunStatus.Completed,
        attempt: 0,
        seq,
        output: '{}',
        error: null,
        invocation: 0,
      })),
    };
  });
}

function cost(metadata: string): number {
  const tally = new TaskTally();
  const keys = new MetadataKeys();
  const thread = new ThreadTime();
  let us = 0;
  for (let block = 0; block < blocks; block++) {
    const all = makeTransactions(metadata);
    const startedMs = thread.cpuMs ?? performance.now();
    for (const { effects, history, results } of all) {
      tally.committed(history, results);
      keys.committed(effects, history, results);
    }
    us += ((thread.cpuMs ?? performance.now()) - startedMs) * 1000;
  }
  return us / (blocks * transactions * tasksEach);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return round(sorted[Math.floor(sorted.length / 2)] ?? NaN);
}

const figures = Object.entries({ plain: '{"source":"api"}', withKey: '{"prom_product":"search"}' }).map(
  ([name, metadata]) => [`${name}Us`, median(Array.from({ length: rounds }, () => cost(metadata)))] as const,
);
process.stdout.write(`${JSON.stringify(Object.fromEntries(figures))}\n`);
