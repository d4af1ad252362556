import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import type { MouseReport } from '../../../../cli/ui/input/mouse-reader.ts';
import type { UiAction, UiState } from '../../../../cli/ui/model/ui-state.ts';
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

const mouse = (kind: MouseReport['kind'], row: number, column = 5): UiAction => ({
  type: 'mouse',
  report: { kind, row, column },
});
const click = (row: number, column = 5): UiAction => mouse('click', row, column);
const listed = (count: number) => ({
  type: 'runs-listed' as const,
  rows: Array.from({ length: count }, (_, index) => makeRun(index, { workflow: `order-${index}-` })),
  next: null,
});

/** The line and the column of a text on the screen. */
function placeOf(state: UiState, text: string): { row: number; column: number } {
  const lines = draw(state).split('\n');
  const row = lines.findIndex((line) => line.includes(text));
  if (row < 0) throw new Error(`${text} is not on the screen:\n${lines.join('\n')}`);
  return { row, column: stringWidth(lines[row]?.slice(0, lines[row].indexOf(text)) ?? '') };
}

function clickOn(state: UiState, text: string): UiState {
  const { row, column } = placeOf(state, text);
  return play(state, click(row, column)).state;
}

const chosen = (state: UiState): string =>
  draw(state)
    .split('\n')
    .find((line) => line.startsWith('▸')) ?? '';

const workflows = Array.from({ length: 60 }, (_, index) => ({
  workflowId: `w${index}`,
  name: `flow-${index}-`,
  description: '',
  versionId: 'v',
  createdAt: at(0),
  taskCount: 1,
  paused: false,
  eventKeys: [],
}));
const queues = {
  queues: Array.from({ length: 40 }, (_, index) => ({
    action: `queue-${index}-`,
    queued: index,
    running: 3,
    delayed: 0,
    waitingForPlace: 2,
    waitingForUnits: 0,
    waitingForBatch: 0,
    workers: 1,
    oldestQueuedAt: at(0),
  })),
  keys: Array.from({ length: 9 }, (_, index) => ({
    key: `key-${index}-`,
    workflow: 'w',
    task: null,
    sharedName: null,
    strategy: 'GROUP_ROUND_ROBIN' as const,
    held: 1,
    maxRuns: 2,
    waiting: 7,
  })),
  limits: [],
  total: { queues: 40, keys: 9, limits: 0 },
};
const tasks = Array.from({ length: 12 }, (_, index) =>
  makeTask(`task-${index}-`, { status: 'RUNNING', parents: index === 0 ? [] : ['task-0-'] }),
);
const filled = play(emptyState({ workflows, rows: 30, columns: 100 }), listed(300), {
  type: 'queues',
  figures: queues,
}).state;
const opened = play(
  filled,
  pressNamed('enter'),
  { type: 'run-detail', runId: runId(299), detail: makeDetail(tasks, { runId: runId(299), status: 'RUNNING' }) },
  {
    type: 'run-events',
    runId: runId(299),
    events: Array.from({ length: 90 }, (_, index) => makeEvent(299, 'STARTED', { message: `event-${index}-` })),
  },
).state;

describe('a click', () => {
  it.each([
    ['the runs', filled, /^[▸ ] ○ QUEUED +order-/],
    [
      'further down the runs',
      play(filled, press('j'), pressNamed('pageDown'), pressNamed('pageDown')).state,
      /^[▸ ] ○ QUEUED +order-/,
    ],
    ['the workflows', play(filled, press('2'), press('G')).state, /^[▸ ] flow-/],
    ['the queues', play(filled, press('4'), pressNamed('pageDown')).state, /^[▸ ] (?:queue|key)-/],
    ['the tasks of a run', opened, /^[▸ ]◐ task-/],
  ])('chooses the row that it is on, where it is, in %s', (_, scene, pattern) => {
    fc.assert(
      fc.property(fc.integer({ min: 16, max: 50 }), fc.nat(), fc.nat(), (rows, first, second) => {
        let state = play(scene, { type: 'resize', rows, columns: 100 }).state;
        // The second click is on what the first has left on the screen.
        for (const place of [first, second]) {
          const lines = draw(state).split('\n');
          const seen = lines.flatMap((line, row) => (pattern.test(line) && !line.startsWith('▸') ? [row] : []));
          const row = seen[place % Math.max(1, seen.length)];
          if (row === undefined) return;
          state = play(state, click(row, 4)).state;
          const after = draw(state).split('\n')[row] ?? '';
          expect(after.slice(1)).toBe(lines[row]?.slice(1));
          expect(after[0]).toBe('▸');
        }
      }),
      { numRuns: 12 },
    );
  });

  it('opens what is chosen', () => {
    const once = clickOn(filled, 'order-290-');
    expect([once.selected, once.run]).toEqual([runId(290), undefined]);
    expect(clickOn(once, 'order-290-').run?.runId).toBe(runId(290));
    const flow = clickOn(play(filled, press('2')).state, 'flow-3-');
    expect(clickOn(flow, 'flow-3-')).toMatchObject({ view: 'runs', searches: { runs: { text: 'flow-3-' } } });
    // What came in meanwhile has not moved it.
    const later = play(once, {
      type: 'events',
      events: [makeEvent(900, 'RUN_CREATED'), makeEvent(901, 'RUN_CREATED')],
    }).state;
    expect(placeOf(later, 'order-290-').row).toBe(placeOf(once, 'order-290-').row);
  });

  it('chooses among tasks and panes, and goes into them', () => {
    const task = clickOn(opened, '◐ task-2-');
    expect(task.run).toMatchObject({ task: 'task-task-2-', focus: 'tasks' });
    expect(clickOn(task, '◐ task-2-').run?.focus).toBe('pane');
    expect(clickOn(task, '[i]nput').run?.pane).toBe('input');
    expect(clickOn(clickOn(task, '[i]nput'), '[w]hy').run?.pane).toBe('why');
    expect(clickOn(task, 'RUNNING order').run?.task).toBeNull();
  });

  it('on a view, on help and on quit is their key', () => {
    expect(clickOn(filled, '4 Queues').view).toBe('queues');
    expect(clickOn(opened, '2 Workflows')).toMatchObject({ view: 'workflows', run: undefined });
    expect(clickOn(filled, 'help').dialog).toMatchObject({ kind: 'help' });
    const { row, column } = placeOf(filled, 'quit');
    expect(play(filled, click(row, column)).effects).toEqual([{ type: 'quit' }]);
    expect(play(filled, click(0, 99), click(0, 2), click(row, 3)).state).toEqual(filled);
    const small = play(filled, { type: 'resize', rows: 10, columns: 40 }).state;
    expect(clickOn(small, ' 6').view).toBe('logs');
    expect(play(small, click(8, 34)).state).toEqual(small);
    expect(clickOn(small, '?').dialog).toMatchObject({ kind: 'help' });
  });

  it('ends a search, and is nothing to what is asked', () => {
    const searching = play(filled, press('/'), ...typed('order-29')).state;
    const found = clickOn(searching, 'order-295-');
    expect([found.dialog, found.selected, found.searches.runs.text]).toEqual([undefined, runId(295), 'order-29']);
    const asked = play(filled, press('x')).state;
    for (let row = 0; row < 30; row++)
      expect(play(asked, click(row), mouse('wheel-down', row))).toEqual({ state: asked, effects: [] });
  });
});

describe('the wheel', () => {
  it('scrolls the list, and asks for more at its end', () => {
    const down = play(filled, ...Array.from({ length: 20 }, () => mouse('wheel-down', 8))).state;
    expect(chosen(down)).toContain('order-239-');
    expect(chosen(play(down, mouse('wheel-up', 8)).state)).toContain('order-242-');
    const older = play({ ...filled, older: 'more' }, press('G'), mouse('wheel-down', 8));
    expect(older.effects.at(-1)).toEqual({ type: 'load-older', page: 'more' });
    expect(chosen(play(filled, press('4'), mouse('wheel-down', 8)).state)).toContain('queue-3-');
    // One that fits goes a row at a time.
    expect(play(emptyState(), listed(3), mouse('wheel-down', 8)).state.selected).toBe(runId(1));
  });

  it('scrolls the page, the log and the help that it is over', () => {
    const { row } = placeOf(opened, 'event-89-');
    const up = play(opened, mouse('wheel-up', row), mouse('wheel-up', row)).state;
    expect(draw(up)).not.toContain('event-89-');
    expect(draw(up)).toContain('event-83-');
    expect(play(opened, mouse('wheel-down', placeOf(opened, '◐ task-1-').row)).state.run?.task).toBe('task-task-0-');
    const logs = play(filled, press('6'), {
      type: 'log-lines',
      lines: Array.from({ length: 90 }, (_, index) => ({ source: 'worker' as const, text: `line-${index}-` })),
    }).state;
    expect(draw(play(logs, mouse('wheel-up', 9)).state)).not.toContain('line-89-');
    expect(draw(play(logs, mouse('wheel-up', 9), mouse('wheel-down', 9)).state)).toContain('line-89-');
    const help = play(filled, { type: 'resize', rows: 12, columns: 60 }, press('?'), mouse('wheel-down', 5)).state;
    expect(help.dialog).toEqual({ kind: 'help', scroll: 3 });
    expect(play(help, click(5)).state.dialog).toBeUndefined();
    expect(play(filled, press('2'), press('t'), pressNamed('tab'), mouse('wheel-down', 20)).state.dialog).toMatchObject(
      { kind: 'trigger', at: 1 },
    );
  });

  it('is nothing outside of what scrolls', () => {
    expect(play(filled, mouse('wheel-down', 0), mouse('wheel-down', 28), mouse('wheel-down', 29)).state).toEqual(
      filled,
    );
  });
});

describe('the mouse', () => {
  it('is left to the terminal by M, and comes back', () => {
    const off = play(filled, press('M')).state;
    expect(off.isMouseOn).toBe(false);
    expect(off.notice?.text).toContain('M brings it back');
    expect(play(off, click(9), mouse('wheel-down', 9), click(0, 20)).state).toEqual(off);
    expect(play(off, press('M')).state.isMouseOn).toBe(true);
    expect(play(filled, press('/'), press('M')).state).toMatchObject({
      isMouseOn: true,
      searches: { runs: { text: 'M' } },
    });
  });

  it('never throws, wherever it is and whatever else is done', () => {
    const action = fc.oneof(
      fc
        .record({
          kind: fc.constantFrom('click' as const, 'wheel-up' as const, 'wheel-down' as const, 'other' as const),
          row: fc.nat({ max: 40 }),
          column: fc.nat({ max: 120 }),
        })
        .map((report): UiAction => ({ type: 'mouse', report })),
      fc.constantFrom(...'123456qtxRflaow?/jkgG AM'.split('')).map((input) => press(input)),
      fc.constantFrom('enter' as const, 'escape' as const, 'tab' as const).map(pressNamed),
      fc.record({
        type: fc.constant('resize' as const),
        rows: fc.integer({ min: 1, max: 40 }),
        columns: fc.integer({ min: 1, max: 120 }),
      }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(filled, opened, emptyState(), play(emptyState(), press('5')).state),
        fc.array(action, { maxLength: 40 }),
        (scene, actions) => {
          play(scene, ...actions);
        },
      ),
      { numRuns: 300 },
    );
  });
});
