import { describe, expect, it } from 'vitest';
import { parseRunQuery } from '../../../cli/monitor/run-query.ts';
import type { EventRow, RunRow } from '../../../cli/monitor/run-reader.ts';
import { RunTable } from '../../../page/model/run-table.ts';

const idOf = (n: number): string => `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const at = (n: number): string => new Date(1_700_000_000_000 + n).toISOString();

function run(n: number, over: Partial<RunRow> = {}): RunRow {
  return {
    runId: idOf(n),
    workflow: 'email',
    status: 'QUEUED',
    createdAt: at(n),
    startedAt: null,
    finishedAt: null,
    priority: 1,
    taskCount: 1,
    parentRunId: null,
    errorMessage: null,
    metadata: {},
    ...over,
  };
}

function event(n: number, over: Partial<EventRow>): EventRow {
  return {
    cursor: String(n),
    time: at(n),
    runId: idOf(n),
    workflow: 'email',
    taskId: '',
    task: '',
    attempt: 0,
    type: 'RUN_CREATED',
    status: 'QUEUED',
    message: '',
    workerId: null,
    ...over,
  };
}

const shown = (table: RunTable): string[] =>
  Array.from({ length: table.size }, (_, index) => table.at(index)?.runId ?? '');

describe('RunTable', () => {
  it('has the newest first, in whatever order they come', () => {
    const table = new RunTable(parseRunQuery(''));
    table.merge([run(5), run(3)]);
    table.apply([event(9, {}), event(7, {})]);
    table.merge([run(1), run(8)]);
    expect(shown(table)).toEqual([9, 8, 7, 5, 3, 1].map(idOf));
    expect(table.indexOf(idOf(7))).toBe(2);
    expect(table.indexOf(idOf(2))).toBe(-1);
    expect(table.ids()).toEqual(shown(table));
  });

  it('keeps what events brought further than a list that was read before', () => {
    const table = new RunTable(parseRunQuery(''));
    table.apply([event(1, {}), event(1, { type: 'RUN_FINISHED', status: 'COMPLETED' })]);
    table.merge([run(1, { status: 'RUNNING', taskCount: 3 })]);
    expect(table.at(0)).toMatchObject({ status: 'COMPLETED', taskCount: 3 });
  });

  it('drops a run that fits no more, and asks for a list where one may fit now', () => {
    const table = new RunTable(parseRunQuery('status:running'));
    table.merge([run(1, { status: 'RUNNING' }), run(2, { status: 'QUEUED' })]);
    expect(shown(table)).toEqual([idOf(1)]);
    expect(table.takeWish()).toBe(false);
    table.apply([event(1, { type: 'RUN_FINISHED', status: 'FAILED' })]);
    expect(table.size).toBe(0);
    table.apply([event(2, { type: 'STARTED', status: 'RUNNING', task: 'a', taskId: 'a' })]);
    expect(table.takeWish()).toBe(true);
    expect(table.takeWish()).toBe(false);
  });

  it('shows no new run before it knows its metadata, where the filter asks for some', () => {
    const table = new RunTable(parseRunQuery('customer:42'));
    table.apply([event(1, {})]);
    expect(table.size).toBe(0);
    expect(table.takeWish()).toBe(true);
    table.merge([run(1, { metadata: { customer: '42' } })]);
    expect(table.size).toBe(1);
  });

  it('keeps no more than it may, and lets the oldest go', () => {
    const table = new RunTable(parseRunQuery(''), 100);
    for (let n = 1; n <= 2_000; n++) table.apply([event(n, {})]);
    expect(table.size).toBeLessThanOrEqual(600);
    expect(table.at(0)?.runId).toBe(idOf(2_000));
    table.merge([run(0)]);
    expect(table.indexOf(idOf(0))).toBe(-1);
    expect(table.isFull).toBe(true);
  });
});
