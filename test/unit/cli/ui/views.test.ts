import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
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
} from './ui-world.ts';
import { describeFailure } from '../../../../sdk/failure/describe-failure.ts';
import type { UiState } from '../../../../cli/ui/model/ui-state.ts';

const tasks = [
  makeTask('check', {
    status: 'COMPLETED',
    queuedAt: at(0),
    startedAt: at(5),
    finishedAt: at(30),
    output: { total: 3 },
  }),
  makeTask('charge', {
    status: 'FAILED',
    parents: ['check'],
    queuedAt: at(30),
    startedAt: at(35),
    finishedAt: at(60),
    errorMessage: 'no money',
    errorStack: 'Error: no money\n    at charge',
  }),
  makeTask('pack', { status: 'RUNNING', parents: ['check'], queuedAt: at(30), startedAt: at(40) }),
  makeTask('ship', { parents: ['charge', 'pack'] }),
];
const workflow = {
  workflowId: 'w',
  name: 'order',
  description: '',
  versionId: 'v',
  createdAt: null,
  taskCount: 4,
  paused: false,
  eventKeys: [],
};

function openedRun(): UiState {
  return play(
    emptyState(),
    { type: 'runs-listed', rows: [makeRun(1, { status: 'RUNNING' })], next: null },
    pressNamed('enter'),
    { type: 'run-detail', runId: runId(1), detail: makeDetail(tasks, { status: 'RUNNING' }) },
    {
      type: 'run-events',
      runId: runId(1),
      events: [
        makeEvent(1, 'STARTED', { task: 'check' }),
        makeEvent(1, 'FAILED', { task: 'charge', message: 'no money' }),
      ],
    },
    {
      type: 'run-logs',
      runId: runId(1),
      lines: [
        {
          cursor: '1',
          time: at(50),
          taskId: 't',
          task: 'charge',
          attempt: 0,
          level: 'WARN',
          message: 'asking \u001b[2Jthe bank',
        },
      ],
    },
  ).state;
}

it('a failed run shows its error in a narrow terminal too, and the short id', () => {
  const rows = [makeRun(1, { workflow: 'mail', status: 'FAILED', errorMessage: 'connect ECONNREFUSED 127.0.0.1:9' })];
  const frame = draw(play(emptyState(), { type: 'runs-listed', rows, next: null }).state);
  expect(frame).toMatch(/FAILED +mail .*01980000…0001 +connect ECONNRE/);
});

describe('in 80 columns', () => {
  const small = { rows: 24, columns: 80 };
  const dev = (change: object) => ({
    ...small,
    dev: {
      stages: [],
      trouble: undefined,
      held: [],
      problems: [],
      typeProblems: [],
      worker: 'serving' as const,
      crash: undefined,
      reloads: 0,
      mismatches: [],
      ...change,
    },
  });
  const problem = {
    file: 'src/simple.ts',
    line: 9,
    column: 44,
    message: "TS2551: Property 'toLowercase' does not exist on type 'string'. Did you mean 'toLowerCase'?",
  };

  it("says a compiler's message to its end, and in a low terminal as much as one line holds", () => {
    for (const change of [{ typeProblems: [problem] }, { problems: [problem] }]) {
      expect(draw(emptyState(dev(change)))).toContain("Did you mean 'toLowerCase'?");
      expect(draw(emptyState({ ...dev(change), rows: 12 })).split('\n')[1]).toMatch(/…$/);
    }
    const long = { ...problem, message: 'word '.repeat(100) };
    expect(draw(emptyState(dev({ typeProblems: [long] }))).split('\n')[3]).toMatch(/^ {2}word .*…$/);
    const trouble = {
      text: 'the disk is full: Postgres cannot write what it has to, and has taken nothing since',
      remedy: 'Make room on the disk that holds the data folder; the engine goes on by itself then, where it was.',
    };
    expect(draw(emptyState(dev({ trouble }))).replaceAll(/\s*\n\s+/g, ' ')).toContain(
      `${trouble.text} ${trouble.remedy}`,
    );
  });

  it('shows how long an open run took beside a short id; the whole id is for wide terminals', () => {
    const opened = (columns: number) => draw({ ...openedRun(), rows: 24, columns });
    expect(opened(80)).toMatch(/RUNNING order {2}01980000…0001 {2}.* ago, took [\d.]+ m?s\n/);
    expect(opened(120)).toContain(`RUNNING order  ${runId(1)}  `);
  });

  it('says what can be done with an open run', () => {
    expect(draw({ ...openedRun(), ...small })).toContain(
      ' x cancels it, ↑ ↓ choose a task, enter scrolls its pane, esc goes back',
    );
    const pane = play({ ...openedRun(), ...small }, pressNamed('enter')).state;
    expect(draw(pane)).toContain(' x cancels it, ↑ ↓ scroll, esc goes back to the tasks');
    const ended = play(pane, {
      type: 'run-detail',
      runId: runId(1),
      detail: makeDetail(tasks, { status: 'FAILED' }),
    }).state;
    expect(draw(ended)).toContain(' R runs it again, ');
  });
});

it('draws in colours alone that show on a dark and on a light ground', () => {
  const folder = join(import.meta.dirname, '../../../../cli/ui/views');
  const colours = readdirSync(folder).flatMap((file) =>
    [
      ...readFileSync(join(folder, file), 'utf8').matchAll(
        /(?:color|backgroundColor|borderColor)(?:: |=\{?)['"](\w+)['"]/g,
      ),
    ].map(([, colour]) => colour),
  );
  expect(colours).not.toEqual([]);
  for (const colour of colours) expect(['red', 'green', 'magenta']).toContain(colour);
});

describe('the screen', () => {
  it('says what to do when there is nothing', () => {
    expect(draw(emptyState())).toContain('a worker registers them');
    expect(draw(emptyState({ workflows: [workflow] }))).toContain('Press t to trigger order');
  });

  it('lists runs with a sign for each status beside its colour', () => {
    const rows = (['QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED'] as const).map((status, index) =>
      makeRun(index, { status }),
    );
    const frame = draw(play(emptyState(), { type: 'runs-listed', rows, next: null }).state);
    for (const sign of ['○ QUEUED', '◐ RUNNING', '✓ COMPLETED', '✗ FAILED', '⊘ CANCELLED'])
      expect(frame).toContain(sign);
  });

  it('shows a run: graph, timeline, events', () => {
    const frame = draw(openedRun());
    expect(frame).toMatch(/✓ check .*✗ charge .*○ ship/);
    expect(frame).toMatch(/✗ charge +·*█+ 25 ms/);
    expect(frame).toMatch(/FAILED +charge +no money/);
  });

  it('shows logs that cannot control the terminal', () => {
    const frame = draw(play(openedRun(), press('l')).state);
    expect(frame).toContain('WARN   charge  asking the bank');
    expect(frame).not.toContain('\u001b[2J');
  });

  it('shows input, output and errors', () => {
    expect(draw(play(openedRun(), press('i')).state)).toContain('"message": "Hi"');
    const failed = play(
      openedRun(),
      { type: 'run-detail', runId: runId(1), detail: makeDetail(tasks, { status: 'FAILED' }) },
      press('o'),
    ).state;
    expect(draw(failed)).toContain('charge (attempt 1): no money');
  });

  it('shows what caused an error, and its code', () => {
    const { message, stack = '' } = describeFailure(
      new TypeError('fetch failed', {
        cause: Object.assign(new Error('connect 127.0.0.1:80'), { code: 'ECONNREFUSED' }),
      }),
    );
    const detail = makeDetail(
      [
        makeTask('fetch', {
          status: 'FAILED',
          errorMessage: message,
          errorStack: stack.replaceAll(/^ *at .*\n/gm, ''),
        }),
      ],
      { status: 'FAILED' },
    );
    const frame = draw(play(openedRun(), { type: 'run-detail', runId: runId(1), detail }, press('o')).state);
    expect(frame).toContain('fetch (attempt 1): fetch failed: connect 127.0.0.1:80 (ECONNREFUSED)');
    expect(frame).toContain('caused by Error: connect 127.0.0.1:80 (ECONNREFUSED)');
  });

  it('says why a run failed, whatever else of it is shown, within the same rows', () => {
    const failed = play(
      openedRun(),
      { type: 'run-detail', runId: runId(1), detail: makeDetail(tasks, { status: 'FAILED' }) },
      press('e'),
    ).state;
    const lines = draw(failed).split('\n');
    expect(lines[2]).toContain('charge (attempt 1): no money');
    expect(lines.length).toBe(draw(openedRun()).split('\n').length);
  });

  it('shows dialogs over what is there', () => {
    expect(draw(play(openedRun(), press('?')).state)).toContain('trigger a workflow');
    expect(draw(play(openedRun(), press('x')).state)).toContain(`Cancel order ${runId(1)}?`);
    expect(draw(play(emptyState({ workflows: [workflow] }), press('t')).state)).toContain('enter triggers');
  });

  it('shows a build error with its place, and what else a session has to say', () => {
    const dev = play(
      {
        ...emptyState(),
        dev: {
          stages: [],
          trouble: undefined,
          held: [],
          problems: [{ file: 'src/simple.ts', line: 8, column: 11, message: 'Unexpected ";"' }],
          typeProblems: [],
          worker: 'serving',
          crash: undefined,
          reloads: 2,
          mismatches: [],
        },
      },
      {
        type: 'overview',
        overview: {
          engineVersion: '1',
          engineStartedAt: at(0),
          queued: 3,
          running: 1,
          triggered: 9,
          finished: 5,
          workers: 1,
          slotsTotal: 100,
          slotsUsed: 1,
          workflowsRevision: '',
        },
        atMs: 0,
      },
    ).state;
    const frame = draw(dev);
    expect(frame).toContain('src/simple.ts:8:11 Unexpected ";"');
    expect(frame).toContain('worker serving (2 reloads)');
    expect(frame).toContain('3 queued  1 running');
    const session = dev.dev;
    if (session === undefined) throw new Error('there is no session');
    expect(draw({ ...dev, dev: { ...session, problems: [], held: ['src/own.ts'] } })).toContain(
      'the worker writes src/own.ts itself',
    );
    // What no worker can help comes before all else.
    const troubled = draw({
      ...dev,
      dev: { ...session, trouble: { text: 'Postgres is gone', remedy: 'What was acknowledged is stored.' } },
    });
    expect(troubled).toMatch(/✗ Postgres is gone *\n *What was acknowledged is stored\./);
    expect(troubled).not.toContain('src/simple.ts');
  });

  it.each([
    [24, 80],
    [40, 120],
    [60, 200],
  ])('fits %i×%i in every view', (rows, columns) => {
    const many = {
      type: 'runs-listed' as const,
      rows: Array.from({ length: 200 }, (_, index) =>
        makeRun(index, { workflow: '工作流'.repeat(20), errorMessage: 'x'.repeat(300) }),
      ),
      next: 'p',
    };
    const base = play({ ...openedRun(), run: undefined }, { type: 'resize', rows, columns }, many).state;
    const opened = play(openedRun(), { type: 'resize', rows, columns }).state;
    for (const state of [
      base,
      play(base, press('2')).state,
      play(base, press('3')).state,
      play(base, press('4')).state,
      play(base, press('5')).state,
      play(base, press('6')).state,
      play(base, press('?')).state,
      opened,
      play(opened, press('o')).state,
      play(opened, press('x')).state,
    ]) {
      const lines = draw(state).split('\n');
      expect(lines.length).toBeLessThan(rows);
      // The library draws on 100 columns.
      for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
    }
  });

  it('says that a terminal is too small', () => {
    expect(draw(emptyState({ rows: 9, columns: 60 }))).toContain('60×9');
  });
});
