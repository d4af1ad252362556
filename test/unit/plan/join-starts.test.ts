import { expect, test } from 'vitest';
import type { HistoryRow } from '../../../engine/model/stored-rows.ts';
import { joinStarts } from '../../../engine/plan/state/join-starts.ts';
import type { Transition } from '../../../engine/model/task/transition.ts';
import { tenantOf } from '../../helpers/tenant.ts';

const start: Transition[] = ['SENT_TO_WORKER', 'STARTED'];
const end: Transition[] = ['FINISHED', 'RUN_COMPLETED'];

function row(taskId: string, transitions: readonly Transition[], change: Partial<HistoryRow> = {}): HistoryRow {
  return {
    taskId,
    seq: 0,
    tenantId: tenantOf('tenant'),
    attempt: 0,
    transitions: [...transitions],
    workerId: 'worker',
    message: null,
    runId: taskId,
    stepName: 'one',
    workflowName: 'single',
    ...change,
  };
}

function joined(...rows: HistoryRow[]): string[] {
  const history = rows.map((each, seq) => ({ ...each, seq }));
  joinStarts(history);
  return history.map(({ taskId, seq, transitions }) => `${taskId} ${seq} ${transitions.join(' ')}`);
}

test('a start stands in the row of the end that its transaction brings, with the number of that', () => {
  expect(joined(row('a', start), row('b', start), row('a', end), row('b', end))).toEqual([
    'a 2 SENT_TO_WORKER STARTED FINISHED RUN_COMPLETED',
    'b 3 SENT_TO_WORKER STARTED FINISHED RUN_COMPLETED',
  ]);
});

test('a start alone stays, as does the row of an end whose start was stored before', () => {
  const rows = [row('a', start), row('b', end)];
  expect(joined(...rows)).toEqual(['a 0 SENT_TO_WORKER STARTED', 'b 1 FINISHED RUN_COMPLETED']);
});

test.each<[string, Partial<HistoryRow>]>([
  ['a message, which is of its first transition', { message: 'it failed' }],
  ['another attempt', { attempt: 1 }],
  ['another worker', { workerId: 'other' }],
])('a row with %s takes in no start', (_, change) => {
  expect(joined(row('a', start), row('b', start), row('a', end, change))).toEqual([
    'a 0 SENT_TO_WORKER STARTED',
    'b 1 SENT_TO_WORKER STARTED',
    'a 2 FINISHED RUN_COMPLETED',
  ]);
});
