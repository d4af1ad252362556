import { describe, expect, it } from 'vitest';
import type { EventRow, LogRow, RunRow, TaskRow } from '../../../cli/monitor/run-reader.ts';
import { backOffMs } from '../../../page/model/back-off.ts';
import { DepthHistory } from '../../../page/model/depth-history.ts';
import { errorGroups, errorPattern } from '../../../page/model/error-groups.ts';
import { layoutGraph, nodeWidth } from '../../../page/model/graph-layout.ts';
import { noChord, pressed } from '../../../page/model/key-chords.ts';
import { rateOf, withSample, type CounterSample } from '../../../page/model/rate.ts';
import { may } from '../../../page/model/role.ts';
import { appended, keptLines, logText, shownLines } from '../../../page/model/shown-log.ts';
import { countdownText, relativeText } from '../../../page/model/time-words.ts';
import { spanTree } from '../../../page/model/span-tree.ts';
import { timeline } from '../../../page/model/timeline.ts';
import type { OtelSpan } from '../../../proto/gen/rest/answers.ts';
import { scrollTo, visibleRows } from '../../../page/model/visible-rows.ts';

const second = (n: number): string => new Date(1_700_000_000_000 + n * 1_000).toISOString();
const ms = (n: number): number => 1_700_000_000_000 + n * 1_000;

function task(over: Partial<TaskRow>): TaskRow {
  return {
    taskId: 't',
    name: 'send',
    status: 'COMPLETED',
    parents: [],
    attempt: 0,
    retries: 2,
    workerId: null,
    workerName: null,
    output: null,
    errorMessage: null,
    errorStack: null,
    createdAt: second(0),
    queuedAt: second(0),
    startedAt: second(2),
    finishedAt: second(4),
    durable: false,
    liveState: '',
    cause: null,
    ...over,
  };
}

function event(n: number, type: string, over: Partial<EventRow> = {}): EventRow {
  return {
    cursor: String(n),
    time: second(n),
    runId: 'r',
    workflow: 'email',
    taskId: 't',
    task: 'send',
    attempt: 0,
    type,
    status: 'RUNNING',
    message: '',
    workerId: 'w',
    ...over,
  };
}

describe('timeline', () => {
  it('has a row for each attempt, its waiting apart from its running', () => {
    const events = [
      event(0, 'QUEUED'),
      event(1, 'ASSIGNED'),
      event(2, 'STARTED'),
      event(4, 'FAILED'),
      event(6, 'ASSIGNED', { attempt: 1 }),
      event(6, 'STARTED', { attempt: 1 }),
      event(10, 'FINISHED', { attempt: 1 }),
    ];
    const { rows, beginMs, endMs } = timeline([task({ attempt: 1, finishedAt: second(10) })], events, ms(50));
    expect([beginMs, endMs]).toEqual([ms(0), ms(10)]);
    expect(rows.map(({ attempt, status, waiting, running }) => [attempt, status, waiting.ms, running?.ms])).toEqual([
      [1, 'FAILED', 2_000, 2_000],
      [2, 'COMPLETED', 2_000, 4_000],
    ]);
    expect(rows[1]?.running).toMatchObject({ from: 60, length: 40 });
  });

  it('shows what waits for its next attempt, and what no worker has had', () => {
    const waiting = task({ status: 'QUEUED', startedAt: null, finishedAt: null, attempt: 1 });
    const retried = timeline([waiting], [event(0, 'QUEUED'), event(1, 'ASSIGNED'), event(3, 'FAILED')], ms(8));
    expect(retried.rows.map(({ attempt, running }) => [attempt, running === undefined])).toEqual([
      [1, false],
      [2, true],
    ]);
    const fresh = timeline([{ ...waiting, attempt: 0 }], [], ms(8));
    expect(fresh.rows).toMatchObject([{ attempt: 0, waiting: { ms: 8_000 }, running: undefined }]);
    expect(timeline([], [], ms(1)).rows).toEqual([]);
  });
});

describe('layoutGraph', () => {
  it('puts each task after its parents', () => {
    const { nodes, edges, width } = layoutGraph([
      { name: 'a', parents: [] },
      { name: 'b', parents: ['a'] },
      { name: 'c', parents: ['a', 'gone'] },
      { name: 'd', parents: ['b', 'c'] },
    ]);
    const x = new Map(nodes.map((node) => [node.name, node.x]));
    expect(edges.map(({ from, to }) => `${from}${to}`).sort()).toEqual(['ab', 'ac', 'bd', 'cd']);
    for (const { from, to, path } of edges) {
      expect(x.get(to) ?? 0).toBeGreaterThan((x.get(from) ?? 0) + nodeWidth);
      expect(path).toMatch(/^M[\d.-]+ [\d.-]+( C.*)$/);
    }
    expect(width).toBeGreaterThan(3 * nodeWidth);
  });
});

describe('errorPattern', () => {
  it('leaves out what differs from run to run', () => {
    expect(errorPattern('Order 0190aaaa-0000-7000-8000-000000000001 of 12.50 EUR failed\n  at x')).toBe(
      'Order <id> of <n> EUR failed',
    );
    expect(errorPattern('at 2026-01-02T03:04:05.678Z: a9f3c2b1d4e5f6a7 timed out after 30s')).toBe(
      'at <time>: <id> timed out after <n>s',
    );
    expect(errorPattern(null)).toBe('no message');
  });

  it('groups runs by workflow and error, those with most first', () => {
    const run = (id: string, workflow: string, errorMessage: string): RunRow => ({
      runId: id,
      workflow,
      status: 'FAILED',
      createdAt: null,
      startedAt: null,
      finishedAt: null,
      priority: 1,
      taskCount: 1,
      parentRunId: null,
      errorMessage,
      metadata: {},
    });
    const groups = errorGroups([run('1', 'a', 'x 1'), run('2', 'b', 'x 2'), run('3', 'b', 'x 3')]);
    expect(groups.map(({ workflow, pattern, runs }) => [workflow, pattern, runs.length])).toEqual([
      ['b', 'x <n>', 2],
      ['a', 'x <n>', 1],
    ]);
  });
});

describe('DepthHistory', () => {
  it('keeps one sample a second, for so long', () => {
    const history = new DepthHistory({ series: 2, seconds: 3 });
    for (const [at, value] of [
      [0, 1],
      [0.5, 2],
      [1, 3],
      [4, 4],
      [3, 9],
    ] as const)
      history.add(at * 1_000, [value, null]);
    expect(history.columns()).toEqual([[4], [4], [null]]);
    history.add(5_000, [5, 6]);
    expect(history.columns()).toEqual([
      [4, 5],
      [4, 5],
      [null, 6],
    ]);
  });
});

describe('rateOf', () => {
  it('counts over the last ten seconds, and begins anew after the engine did', () => {
    let samples: readonly CounterSample[] = [];
    expect(rateOf(samples, 0)).toBeUndefined();
    for (const [atMs, count] of [
      [0, 0],
      [1_000, 50],
      [2_000, 100],
    ] as const)
      samples = withSample(samples, { atMs, count });
    expect(rateOf(samples, 2_000)).toBe(50);
    expect(withSample(samples, { atMs: 3_000, count: 5 })).toEqual([{ atMs: 3_000, count: 5 }]);
    expect(rateOf(samples, 60_000)).toBe(0);
  });
});

describe('keys', () => {
  it('takes two keys for one command, and forgets the first after a while', () => {
    const first = pressed(noChord, 'g', 0);
    expect(first.keys).toBeUndefined();
    expect(pressed(first.state, 'r', 500).keys).toBe('g r');
    expect(pressed(first.state, 'r', 5_000).keys).toBe('r');
    expect(pressed(noChord, 'R', 0).keys).toBe('R');
  });
});

describe('rows in sight', () => {
  it('are those of the window and a few beyond', () => {
    expect(visibleRows({ scrollTop: 0, height: 400 }, { rowHeight: 40, rows: 1_000 })).toEqual({ start: 0, end: 18 });
    const middle = visibleRows({ scrollTop: 4_000, height: 400 }, { rowHeight: 40, rows: 1_000 });
    expect([middle.start <= 100, middle.end >= 110, middle.end - middle.start < 40]).toEqual([true, true, true]);
    expect(visibleRows({ scrollTop: 9_999_999, height: 400 }, { rowHeight: 40, rows: 3 })).toEqual({
      start: 3,
      end: 3,
    });
  });

  it('come into sight with as little scrolling as it takes', () => {
    const window = { scrollTop: 400, height: 400 };
    expect([scrollTo(5, window, 40), scrollTo(15, window, 40), scrollTo(20, window, 40)]).toEqual([200, 400, 440]);
  });
});

describe('log lines', () => {
  const line = (message: string, level = 'INFO'): LogRow => ({
    cursor: '',
    time: null,
    taskId: 't',
    task: 'send',
    attempt: 0,
    level,
    message,
  });

  it('are found by level, task and text', () => {
    const lines = [line('Alpha'), line('beta', 'ERROR')];
    const all = { levels: new Set<string>(), search: '', taskId: '' };
    expect(shownLines(lines, all)).toHaveLength(2);
    expect(shownLines(lines, { ...all, levels: new Set(['ERROR']) })).toEqual([lines[1]]);
    expect(shownLines(lines, { ...all, search: 'ALPHA' })).toEqual([lines[0]]);
    expect(shownLines(lines, { ...all, taskId: 'other' })).toEqual([]);
  });

  it('are without what controls or hides', () => {
    expect(logText(line('\u001b[31mred\u001b[0m\u202e!'))).toBe('red!');
  });

  it('are kept up to a number', () => {
    const many = Array.from({ length: keptLines + 10 }, (_, index) => line(String(index)));
    expect(appended([], many)).toHaveLength(keptLines);
    expect(appended(many, []).length).toBe(many.length);
    expect(appended([line('a')], [line('b')]).map(({ message }) => message)).toEqual(['a', 'b']);
  });
});

describe('small rules', () => {
  it('waits longer after each failure, up to a bound', () => {
    const waits = [1, 2, 3, 10, 100].map((failures) => backOffMs(failures, () => 0));
    expect(waits).toEqual([500, 1_000, 2_000, 15_000, 15_000]);
    expect(backOffMs(1, () => 1)).toBe(600);
  });

  it('lets a role do what those below it may', () => {
    expect([
      may('viewer', 'trigger'),
      may('trigger', 'trigger'),
      may('worker', 'admin'),
      may('admin', 'admin'),
    ]).toEqual([false, true, false, true]);
  });

  it('tells times in words', () => {
    expect(relativeText(second(0), ms(0))).toBe('just now');
    expect(relativeText(second(0), ms(65))).toBe('1 m 5 s ago');
    expect(relativeText(second(10), ms(0))).toBe('in 10 s');
    expect(relativeText('nonsense', 0)).toBe('');
    expect(countdownText(second(0), ms(1))).toBe('due');
    expect(countdownText(second(90), ms(0))).toBe('in 1 m 30 s');
  });
});

describe('spanTree', () => {
  const span = (spanId: string, parentSpanId: string | undefined, begins: number, took: number): OtelSpan => ({
    traceId: 't',
    spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    spanName: spanId,
    spanKind: 'INTERNAL',
    serviceName: 'shop',
    statusCode: 'OK',
    durationNs: took * 1e6,
    createdAt: new Date(ms(0) + begins).toISOString(),
    resourceAttributes: {},
    spanAttributes: {},
    scopeName: '',
    scopeVersion: '',
    retryCount: 0,
  });

  it('puts each span beneath its own, in percent of the whole', () => {
    const { rows, ms: all } = spanTree([
      span('a', undefined, 0, 100),
      span('b', 'a', 10, 20),
      span('d', 'a', 50, 50),
      span('c', 'b', 15, 5),
      span('e', 'unsent', 60, 10),
    ]);
    expect(rows.map(({ key, depth }) => [key, depth])).toEqual([
      ['a', 0],
      ['b', 1],
      ['c', 2],
      ['d', 1],
      ['e', 0],
    ]);
    expect(all).toBe(100);
    expect(rows.find(({ key }) => key === 'd')).toMatchObject({ from: 50, length: 50 });
  });

  it('shows spans that claim to be beneath each other, and none', () => {
    expect(spanTree([span('a', 'b', 0, 0), span('b', 'a', 0, 0)]).rows.map(({ key }) => key)).toEqual(['a', 'b']);
    expect(spanTree([])).toEqual({ rows: [], beginMs: 0, ms: 0 });
  });
});
