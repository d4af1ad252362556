import { expect, test } from 'vitest';
import { uuidFloor } from '../../../engine/model/ids/uuid-floor.ts';
import type { HistoryRow, RunInsert } from '../../../engine/model/stored-rows.ts';
import { latestQueuedMs, queuedTransitions } from '../../../engine/model/task/queued-by-run.ts';
import { tellQueuedByRuns } from '../../../engine/plan/state/queued-by-runs.ts';
import { tenantOf } from '../../helpers/tenant.ts';

const nowMs = 1_800_000_000_000;
const id = (agoMs: number): string => uuidFloor(nowMs - agoMs);

function run(runId: string, oneTask = true): RunInsert {
  return {
    id: runId,
    tenantId: tenantOf('tenant'),
    workflowId: 'workflow',
    versionId: 'version',
    priority: 1,
    input: '{}',
    metadata: '{}',
    parentTaskId: null,
    childIndex: null,
    childKey: null,
    filterPayload: null,
    placement: null,
    oneTask,
    queuedSeq: null,
  };
}

function created(runId: string, change: Partial<HistoryRow> = {}): HistoryRow {
  return {
    taskId: runId,
    seq: nowMs * 1000,
    tenantId: tenantOf('tenant'),
    attempt: 0,
    transitions: [...queuedTransitions],
    workerId: null,
    message: null,
    runId,
    stepName: 'one',
    workflowName: 'single',
    ...change,
  };
}

test('a run of one task tells when it was queued', () => {
  const [runs, history] = [
    [run(id(1)), run(id(0))],
    [created(id(1)), created(id(0), { seq: nowMs * 1000 + 1 })],
  ];
  tellQueuedByRuns({ runs, history });
  expect(runs.map(({ queuedSeq }) => queuedSeq)).toEqual([nowMs * 1000, nowMs * 1000 + 1]);
  expect(history.map(({ toldByRun }) => toldByRun)).toEqual([true, true]);
});

test.each<[string, RunInsert, HistoryRow]>([
  ['of several tasks', run(id(0), false), created(id(0))],
  [
    'that is assigned at once',
    run(id(0)),
    created(id(0), { transitions: [...queuedTransitions, 'ASSIGNED'], workerId: 'w' }),
  ],
  ['that waits first', run(id(0)), created(id(0), { transitions: ['RUN_CREATED', 'CREATED'] })],
  ['with a message', run(id(0)), created(id(0), { message: 'no' })],
  ['whose id is too old to be found by it', run(id(latestQueuedMs + 1)), created(id(latestQueuedMs + 1))],
])('the journal tells of a run %s', (_, one, row) => {
  const [runs, history] = [
    [run(id(5)), one],
    [created(id(5)), row],
  ];
  tellQueuedByRuns({ runs, history });
  expect(runs.map(({ queuedSeq }) => queuedSeq)).toEqual([nowMs * 1000, null]);
  expect(history.map(({ toldByRun }) => toldByRun)).toEqual([true, undefined]);
});
