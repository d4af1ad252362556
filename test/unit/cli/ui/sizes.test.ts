import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { dialogRows } from '../../../../cli/ui/model/dialogs/dialog-content.ts';
import { shownBanner, footerRows, frameRows } from '../../../../cli/ui/model/frame.ts';
import { bodyRows } from '../../../../cli/ui/model/layout.ts';
import type { DevStatus, UiState } from '../../../../cli/ui/model/ui-state.ts';
import { draw } from './draw.tsx';
import {
  at,
  emptyState,
  makeDetail,
  makeEvent,
  makeRun,
  makeTask,
  play,
  press,
  pressNamed,
  runId,
  typed,
} from './ui-world.ts';

const long = '工作流 with a name that is long '.repeat(6);
const workflows = Array.from({ length: 30 }, (_, index) => ({
  workflowId: `w${index}`,
  name: index % 3 === 0 ? `${long}${index}` : `order-${index}`,
  description: long,
  versionId: 'v',
  createdAt: at(0),
  taskCount: 4,
  paused: index % 2 === 0,
  eventKeys: [`order:${index}`, `${long}:*`],
}));
const workers = Array.from({ length: 20 }, (_, index) => ({
  workerId: `id-${index}`,
  name: `${long}${index}`,
  status: 'ACTIVE' as const,
  slots: [{ type: 'default', total: 100, used: index }],
  actions: [long],
  registeredAt: at(0),
  lastHeartbeatAt: at(0),
  sdk: 'sdk',
}));
const statuses = ['QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'EVICTED'] as const;
const tasks = Array.from({ length: 30 }, (_, index) =>
  makeTask(`${index % 4 === 0 ? long : 'task'}-${index}`, {
    status: statuses[index % 6] ?? 'QUEUED',
    parents: index === 0 ? [] : [`task-${index - 1}`],
    queuedAt: at(index),
    startedAt: at(index + 5),
    finishedAt: at(index + 90),
    errorMessage: index % 6 === 3 ? long : null,
    errorStack: index % 6 === 3 ? `${long}\n at ${long}`.repeat(20) : null,
    output: { long },
  }),
);
const dev: DevStatus = {
  stages: [],
  trouble: undefined,
  held: [],
  problems: [],
  typeProblems: [],
  worker: 'crashed',
  crash: { text: long, lines: [long, long, long, long] },
  reloads: 3,
  mismatches: [],
};
const overview = {
  engineVersion: '1',
  engineStartedAt: at(0),
  queued: 3_000_000,
  running: 1,
  triggered: 9,
  finished: 5,
  workers: 1,
  slotsTotal: 100,
  slotsUsed: 1,
  workflowsRevision: '',
};

const filled = play(
  emptyState({ workflows, workers, overview }),
  {
    type: 'runs-listed',
    rows: Array.from({ length: 200 }, (_, index) =>
      makeRun(index, {
        workflow: index % 2 === 0 ? long : 'order',
        status: statuses[index % 6] ?? 'QUEUED',
        errorMessage: index % 6 === 3 ? long : null,
      }),
    ),
    next: 'p',
  },
  {
    type: 'queues',
    figures: {
      queues: Array.from({ length: 40 }, (_, index) => ({
        action: `${long}:${index}`,
        queued: index,
        running: 3,
        delayed: 0,
        waitingForPlace: 2,
        waitingForUnits: 0,
        waitingForBatch: 0,
        workers: 1,
        oldestQueuedAt: at(0),
      })),
      keys: [
        {
          key: long,
          workflow: long,
          task: null,
          sharedName: null,
          strategy: 'GROUP_ROUND_ROBIN',
          held: 1,
          maxRuns: 2,
          waiting: 7,
        },
      ],
      limits: [
        {
          key: long,
          limit: 1_000_000,
          window: 'MINUTE',
          used: 999_999,
          refillAt: at(90_000),
          waiting: 1,
          tooLarge: 0,
          isStatic: true,
        },
      ],
      total: { queues: 40, keys: 1, limits: 1 },
    },
  },
  {
    type: 'schedules',
    figures: {
      crons: [
        {
          cronId: 'c',
          name: long,
          workflow: long,
          expression: '0 3 * * *',
          timezone: 'Europe/Berlin',
          catchUp: 'none',
          enabled: true,
          isDeclared: false,
          nextAt: at(3_600_000),
          lastAt: at(0),
          lastRunId: null,
          lastError: long,
        },
      ],
      schedules: [{ scheduleId: runId(3), workflow: long, dueAt: at(90_000) }],
      total: { crons: 1, schedules: 1 },
    },
  },
  {
    type: 'log-lines',
    lines: Array.from({ length: 90 }, (_, index) => ({ source: 'worker' as const, text: `${index} ${long}` })),
  },
).state;
const opened = play(
  filled,
  pressNamed('enter'),
  {
    type: 'run-detail',
    runId: runId(199),
    detail: makeDetail(tasks, { runId: runId(199), status: 'FAILED', workflow: long }),
  },
  {
    type: 'run-events',
    runId: runId(199),
    events: Array.from({ length: 60 }, () =>
      makeEvent(199, 'FAILED', { task: 'task-3', taskId: 'task-task-3', message: long }),
    ),
  },
).state;

/** Something of each that can be seen. */
const scenes: Readonly<Record<string, UiState>> = {
  ...Object.fromEntries('123456'.split('').map((view) => [`view ${view}`, play(filled, press(view)).state])),
  'the end of the runs': play(filled, press('G')).state,
  'marked runs': play(filled, press(' '), press('j'), press(' ')).state,
  'what is to be done to many': play(filled, press(' '), press('x')).state,
  'how it went with many': play(filled, press(' '), press('x'), press('y'), {
    type: 'bulk-done',
    outcome: {
      done: Array.from({ length: 12_000 }, (_, index) => runId(index)),
      refused: new Map([
        ['a', 'COMPLETED before'],
        ['b', 'COMPLETED before'],
        ['c', long],
      ]),
      tasks: [],
      left: 700,
      error: new Error(long),
    },
  }).state,
  'the end of the queues': play(filled, press('4'), press('G')).state,
  help: play(filled, press('?')).state,
  search: play(filled, press('/'), ...typed(long)).state,
  confirm: play(opened, press('R')).state,
  trigger: play(filled, press('2'), press('t'), ...typed(`{"${long}`), pressNamed('enter')).state,
  chooser: play(filled, press('t'), pressNamed('tab'), ...typed('o')).state,
  event: play(filled, press('E')).state,
  'an event by its key': play(filled, press('E'), ...typed(long)).state,
  ...Object.fromEntries('elaiofw'.split('').map((pane) => [`pane ${pane}`, play(opened, press(pane)).state])),
  'a task in a run': play(opened, press('j'), press('j'), pressNamed('enter')).state,
  'a run that is read': { ...opened, run: opened.run === undefined ? undefined : { ...opened.run, detail: undefined } },
  'a crashed worker': { ...filled, dev },
  'a mismatch and a dialog': {
    ...play(filled, press('x')).state,
    dev: { ...dev, mismatches: [{ runId: runId(1), workflow: long, node: 2, recorded: long, asked: long }] },
  },
  trouble: { ...opened, dev: { ...dev, trouble: { text: long, remedy: long } } },
};

const size = fc.record({
  rows: fc.oneof(fc.integer({ min: 10, max: 26 }), fc.integer({ min: 10, max: 60 })),
  columns: fc.oneof(fc.integer({ min: 40, max: 90 }), fc.integer({ min: 40, max: 200 })),
});

describe('whatever the size of the terminal', () => {
  it.each(Object.keys(scenes))('%s fits, and leaves head and status where they are', (name) => {
    const scene = scenes[name];
    if (scene === undefined) throw new Error('there is no such scene');
    fc.assert(
      fc.property(size, ({ rows, columns }) => {
        const state = play(scene, { type: 'resize', rows, columns }).state;
        expect(1 + shownBanner(state).length + bodyRows(state) + dialogRows(state) + footerRows(state)).toBe(
          frameRows(state),
        );
        const lines = draw(state).split('\n');
        expect(lines).toHaveLength(rows - 1);
        for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
        expect(lines[0]).toMatch(/\[\d \w+\]/);
        expect(lines.at(-1)).toMatch(/\? .*q/);
        expectWholeFrame(state, lines);
        if (state.dialog === undefined && !/read|6|pane/.test(name)) expect(lines.join('\n')).toContain('▸');
      }),
      { numRuns: 12 },
    );
  });
});

/** Each of its lines from the left border to the right one, in the first and the last column, and its end below. */
function expectWholeFrame(state: UiState, lines: readonly string[]): void {
  if (state.dialog === undefined || state.dialog.kind === 'search') return;
  const from = lines.findIndex((line) => line.startsWith('╭─ '));
  const frame = lines.slice(from, from + dialogRows(state));
  expect(frame.at(0)).toMatch(/^╭─ .*╮$/);
  for (const line of frame.slice(1, -1)) expect(line).toMatch(/^│ .* │$/);
  expect(frame.at(-1)).toMatch(/^╰─+╯$/);
  for (const line of frame) expect(stringWidth(line)).toBe(state.columns);
  expect(lines.filter((line) => /[╭╰]/.test(line))).toHaveLength(2);
}
