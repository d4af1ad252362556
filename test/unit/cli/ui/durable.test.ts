import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { devLines } from '../../../../cli/dev/view/dev-line.ts';
import type { DurableLogRow } from '../../../../cli/monitor/durable-log-row.ts';
import { bodyRows } from '../../../../cli/ui/model/layout.ts';
import type { UiState } from '../../../../cli/ui/model/ui-state.ts';
import { eventOf, makeBranch, makeLog, makeNode, open, sleepOf } from '../durable/log-world.ts';
import { draw } from './draw.tsx';
import { emptyState, makeDetail, makeEvent, makeRun, makeTask, play, press, pressNamed, runId } from './ui-world.ts';

const nodes = [
  makeNode(1, 1),
  makeNode(1, 2, {
    kind: 'CHILD',
    asked: 'run pay({})',
    child: { workflow: 'pay', key: null, input: '{}', runId: runId(7) },
  }),
  makeNode(1, 3, { kind: 'WAIT', asked: 'sleep 1h', conditions: [sleepOf('1h', 3_600_000, 3000)], ...open }),
];
const note = { runId: runId(1), workflow: 'order', node: 2, recorded: 'sleep 1h', asked: 'sleep 2h' };

function opened(log: DurableLogRow = makeLog(nodes)): UiState {
  return play(
    emptyState(),
    { type: 'runs-listed', rows: [makeRun(1, { status: 'EVICTED' })], next: null },
    pressNamed('enter'),
    {
      type: 'run-detail',
      runId: runId(1),
      detail: makeDetail([makeTask('only', { durable: true, status: 'EVICTED' })], { status: 'EVICTED' }),
    },
    { type: 'durable-log', runId: runId(1), log },
  ).state;
}

function inDev(state: UiState, mismatches = [note]): UiState {
  const overview = {
    engineVersion: '1',
    engineStartedAt: null,
    queued: 0,
    running: 0,
    triggered: 0,
    finished: 0,
    workers: 1,
    slotsTotal: 10,
    slotsUsed: 0,
    workflowsRevision: '',
  };
  return {
    ...state,
    overview,
    dev: {
      stages: [],
      trouble: undefined,
      held: [],
      problems: [],
      typeProblems: [],
      worker: 'serving',
      crash: undefined,
      reloads: 1,
      mismatches,
    },
  };
}

describe('the log of a durable task', () => {
  it('is what its run opens with, at what it waits for', () => {
    const state = opened();
    expect(state.run?.pane).toBe('durable');
    const frame = draw(state);
    expect(frame).toMatch(/├─ 1 ✓ memo 11 → \{"n":1\} +500 ms +#1/);
    expect(frame).toMatch(/▸└─ 3 … sleep 1h/);
    expect(frame).toContain('s skips the sleep  b branches from here');
  });

  it('leaves the pane that was chosen, and is not there for other runs', () => {
    const chosen = play(emptyState(), { type: 'runs-listed', rows: [makeRun(1)], next: null }, press('i'), {
      type: 'run-detail',
      runId: runId(1),
      detail: makeDetail([makeTask('only', { durable: true })]),
    }).state;
    expect(chosen.run?.pane).toBe('input');
    const plain = play(emptyState(), { type: 'runs-listed', rows: [makeRun(1)], next: null }, pressNamed('enter'), {
      type: 'run-detail',
      runId: runId(1),
      detail: makeDetail([makeTask('only')]),
    }).state;
    expect(plain.run?.pane).toBe('events');
    expect(draw(plain)).not.toContain('urable');
  });

  it('skips the selected sleep, and no other node', () => {
    expect(play(opened(), press('s')).effects).toEqual([
      { type: 'skip-sleep', taskId: 'task-only', branch: 1, node: 3 },
    ]);
    const memo = play(opened(), press('k'), press('s'));
    expect([memo.effects, memo.state.notice?.text]).toEqual([[], 'Node 2 is no open sleep.']);
    const elsewhere = play(opened({ ...makeLog(nodes), canSkip: false }), press('s'));
    expect([elsewhere.effects, elsewhere.state.notice?.text]).toEqual([
      [],
      'Sleeps are skipped only under hatchet dev.',
    ]);
  });

  it('asks before it branches', () => {
    const asked = play(opened(), press('g'), press('b'));
    expect(draw(asked.state)).toContain('Run only again from node 1? What lies before it is kept.');
    expect(asked.effects).toEqual([]);
    expect(play(asked.state, press('y')).effects).toEqual([
      { type: 'branch', taskId: 'task-only', branch: 1, node: 1 },
    ]);
    expect(play(asked.state, press('n')).effects).toEqual([]);
  });

  it('opens the run of a child, and esc comes back', () => {
    const child = play(opened(), press('k'), pressNamed('enter')).state;
    expect(child.run?.runId).toBe(runId(7));
    expect(play(child, pressNamed('escape')).state.run?.runId).toBe(runId(1));
    expect(play(child, pressNamed('escape'), pressNamed('escape')).state.run).toBeUndefined();
  });

  it('takes a click on a node, and opens the child that is chosen', () => {
    const onChild = {
      type: 'mouse' as const,
      report: {
        kind: 'click' as const,
        row: draw(opened())
          .split('\n')
          .findIndex((line) => line.includes('run pay')),
        column: 9,
      },
    };
    const once = play(opened(), onChild).state;
    expect(draw(once)).toMatch(/▸├─ 2 .*run pay/);
    expect(play(once, onChild).state.run?.runId).toBe(runId(7));
    const wheel = { type: 'mouse' as const, report: { ...onChild.report, kind: 'wheel-up' as const } };
    expect(draw(play(opened(), wheel).state)).toMatch(/▸├─ 1 ✓ memo/);
  });

  it('moves on with the log until a node is chosen', () => {
    const more = makeLog([
      makeNode(1, 3),
      makeNode(1, 4, { kind: 'WAIT', asked: 'event "go"', conditions: [eventOf('go')], ...open }),
    ]);
    expect(draw(play(opened(), { type: 'durable-log', runId: runId(1), log: more }).state)).toMatch(
      /▸└─ 4 … event "go"/,
    );
    expect(draw(play(opened(), press('k'), { type: 'durable-log', runId: runId(1), log: more }).state)).toMatch(
      /▸├─ 2 ✓/,
    );
  });

  it('fits, whatever its length and names are', () => {
    const long = Array.from({ length: 300 }, (_, index) =>
      makeNode(1 + (index % 3), 1 + Math.floor(index / 3), {
        asked: `memo ${'漢字'.repeat(60)}`,
        output: 'x'.repeat(500),
        errorMessage: index % 7 === 0 ? 'no \u001b[2J money '.repeat(20) : null,
      }),
    );
    for (const size of [
      { rows: 24, columns: 80 },
      { rows: 40, columns: 120 },
    ]) {
      for (const state of [
        opened(makeLog(long, [makeBranch(2, 1, 2), makeBranch(3, 2, 3)])),
        inDev(opened(makeLog(long))),
      ]) {
        const lines = draw({ ...state, ...size }).split('\n');
        expect(lines.length).toBeLessThan(size.rows);
        expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(size.columns);
        expect(lines.join('')).not.toContain('\u001b[2J');
        expect(lines.join('\n')).toContain('b branches from here');
      }
    }
  });
});

describe('a run that the code does not fit', () => {
  it('is named over everything, with what its log holds, what the code asks and the ways out', () => {
    const frame = draw(inDev(emptyState(), [note, { ...note, runId: runId(2) }]));
    expect(frame).toContain('✗ order 01980000…0001 does not fit the code any more, at node 2 (and 1 more)');
    expect(frame).toMatch(
      /its log holds +sleep 1h\n +the code asks +sleep 2h\n.*m opens it, b there branches;.*patched\(\), or run anew/,
    );
    expect(bodyRows(inDev(emptyState()))).toBe(bodyRows(inDev(emptyState(), [])) - 4);
  });

  it('is opened at that node, and is seen to then', () => {
    const state = play(inDev(opened()), press('m')).state;
    expect(state.dev?.mismatches).toEqual([]);
    expect(draw(state)).toMatch(/▸├─ 2 ✓/);
    // Its feeds are running: nothing of it may be forgotten.
    expect(state.run?.durable.size).toBe(1);
    expect(play(inDev(emptyState()), press('m')).state.run).toMatchObject({
      runId: runId(1),
      aim: 2,
      detail: undefined,
    });
  });

  it('is forgotten once it runs again; where it is open its feeds begin anew', () => {
    const before = inDev(
      play(opened(), { type: 'run-events', runId: runId(1), events: [makeEvent(1, 'FAILED')] }).state,
    );
    const { state } = play(before, { type: 'events', events: [makeEvent(1, 'RETRIED_BY_USER')] });
    expect(state.dev?.mismatches).toEqual([]);
    expect(state.run).toMatchObject({ revision: 1, events: [] });
    expect(play(before, { type: 'events', events: [makeEvent(2, 'RETRIED_BY_USER')] }).state.run?.revision).toBe(0);
  });

  it('is told in lines too', () => {
    const lines = devLines({ type: 'durable-mismatch', task: 'only', ...note }).map(({ text }) => text);
    expect(lines[0]).toBe(
      `✗ run ${runId(1)} of order does not fit the code any more: node 2 of its log holds sleep 1h, and the code asks for sleep 2h`,
    );
    expect(lines.join('\n')).toContain(`hatchet runs branch ${runId(1)} --node 2`);
    expect(lines.join('\n')).toMatch(/patched[\s\S]*hatchet trigger workflow order/);
  });
});

describe('a run of one durable task in the table', () => {
  it('is EVICTED while its task is, and none of several tasks is', () => {
    const own = { taskId: runId(1) };
    const evicted = play(emptyState(), {
      type: 'events',
      events: [
        makeEvent(1, 'RUN_CREATED'),
        makeEvent(1, 'STARTED', own),
        makeEvent(1, 'DURABLE_EVICTED', { ...own, status: 'EVICTED' }),
      ],
    }).state;
    expect(draw(evicted)).toContain('◌ EVICTED');
    expect(draw(play(evicted, { type: 'events', events: [makeEvent(1, 'DURABLE_RESTORING', own)] }).state)).toContain(
      '○ QUEUED',
    );
    expect(
      draw(
        play(emptyState(), { type: 'events', events: [makeEvent(2, 'STARTED'), makeEvent(2, 'DURABLE_EVICTED')] })
          .state,
      ),
    ).toContain('◐ RUNNING');
  });
});
