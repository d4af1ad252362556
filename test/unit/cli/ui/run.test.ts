import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attemptsOf } from '../../../../cli/ui/model/run/attempts.ts';
import { chosenTask } from '../../../../cli/ui/model/run/chosen-task.ts';
import { wrapText } from '../../../../cli/output/wrap-text.ts';
import type { EventRow, RunRow, TaskRow } from '../../../../cli/monitor/run-reader.ts';
import type { UiState } from '../../../../cli/ui/model/ui-state.ts';
import stringWidth from 'string-width';
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
    attempt: 1,
    retries: 1,
    queuedAt: at(30),
    startedAt: at(35),
    finishedAt: at(60),
    errorMessage: 'no money',
    errorStack: 'Error: no money\n    at charge (order.ts:3:1)\ncaused by Error: the bank is closed',
  }),
  makeTask('ship', { status: 'CANCELLED', parents: ['charge'] }),
];

const event = (type: string, task: string, change: Partial<EventRow> = {}): EventRow =>
  makeEvent(1, type, { task, taskId: `task-${task}`, ...change });
const log = (task: string, message: string) => ({
  cursor: message,
  time: at(50),
  taskId: `task-${task}`,
  task,
  attempt: 0,
  level: 'INFO',
  message,
});

function opened(own: readonly TaskRow[] = tasks, change: Partial<RunRow> = { status: 'FAILED' }): UiState {
  return play(
    emptyState(),
    { type: 'runs-listed', rows: [makeRun(1, change)], next: null },
    pressNamed('enter'),
    { type: 'run-detail', runId: runId(1), detail: makeDetail(own, change) },
    {
      type: 'run-events',
      runId: runId(1),
      events: [
        event('ASSIGNED', 'check', { workerId: 'w1' }),
        event('FINISHED', 'check'),
        event('ASSIGNED', 'charge', { workerId: 'w1' }),
        event('STARTED', 'charge', { workerId: 'w1' }),
        event('FAILED', 'charge', { message: 'first no' }),
        event('RETRYING', 'charge'),
        event('ASSIGNED', 'charge', { attempt: 1, workerId: 'w2' }),
        event('FAILED', 'charge', { attempt: 1, message: 'no money' }),
      ],
    },
    { type: 'run-logs', runId: runId(1), lines: [log('check', 'adding up'), log('charge', 'asking the bank')] },
  ).state;
}

const chosen = (state: UiState): string | undefined =>
  state.run === undefined ? undefined : chosenTask(state.run)?.name;

describe('a run that failed', () => {
  it('opens on the error of what failed, whole, with what caused it', () => {
    const state = opened();
    expect(chosen(state)).toBe('charge');
    expect(state.run?.pane).toBe('failure');
    const frame = draw(state);
    expect(frame).toContain('▸[f]ailure');
    expect(frame).toMatch(/▸✗ charge/);
    for (const text of [
      'charge (attempt 2): no money',
      'at charge (order.ts:3:1)',
      'caused by Error: the bank is closed',
    ])
      expect(frame).toContain(text);
  });

  it('opens a traceback of Python, whose last line is the place, at its end', () => {
    const frames = Array.from({ length: 30 }, (_, index) => `  File "library.py", line ${index}`).join('\n');
    const [task] = tasks
      .filter(({ status }) => status === 'FAILED')
      .map((one) => ({
        ...one,
        errorMessage: `KeyError: 'a'\nTraceback (most recent call last):\n${frames}\n  File "src/simple.py", line 19`,
        errorStack: null,
      }));
    const state = opened(task === undefined ? [] : [task]);
    expect(draw(state)).toContain('File "src/simple.py", line 19');
    expect(draw(play(state, press('k')).state)).not.toContain('src/simple.py');
    expect(draw(play(state, press('i'), press('f')).state)).toContain('src/simple.py');
  });

  it('shows its error when it fails while it is open, unless a pane was chosen', () => {
    const running = opened(
      tasks.map((task) => ({ ...task, status: 'RUNNING' as const, errorMessage: null, errorStack: null })),
      { status: 'RUNNING' },
    );
    expect(running.run?.pane).toBe('events');
    const failed = { type: 'run-detail' as const, runId: runId(1), detail: makeDetail(tasks, { status: 'FAILED' }) };
    expect(play(running, failed).state.run?.pane).toBe('failure');
    expect(play(running, press('i'), failed).state.run?.pane).toBe('input');
    // Once it runs again there is nothing to show of a failure.
    expect(
      play(running, failed, { type: 'run-detail', runId: runId(1), detail: makeDetail(tasks, { status: 'RUNNING' }) })
        .state.run?.pane,
    ).toBe('events');
  });

  it('lists what failed first where there is not a row for each task', () => {
    const many = Array.from({ length: 40 }, (_, index) =>
      makeTask(`t${index}`, { status: index === 33 ? 'FAILED' : 'COMPLETED' }),
    );
    expect(draw(play(opened(many), { type: 'resize', rows: 20, columns: 60 }).state)).toMatch(
      /▸✗ t33.*\n ✓ t0.*\n ✓ t1.*\n +1–3 of 40 tasks/,
    );
    expect(draw(play(opened(), { type: 'resize', rows: 40, columns: 80 }).state)).toMatch(/✓ check[\s\S]*✗ charge/);
  });
});

describe('the tasks of a run', () => {
  it('are chosen one after the other, below the whole run', () => {
    const state = play(opened(), press('k')).state;
    expect(chosen(state)).toBe('check');
    expect(draw(state)).toMatch(/▸✓ check/);
    const whole = play(state, pressNamed('up')).state;
    expect(chosen(whole)).toBeUndefined();
    expect(draw(whole)).toMatch(/▸✗ FAILED order/);
    expect(chosen(play(whole, press('k')).state)).toBeUndefined();
    expect(chosen(play(whole, press('G')).state)).toBe('ship');
    expect(chosen(play(whole, press('j'), pressNamed('down'), press('j')).state)).toBe('ship');
  });

  it('have an output, logs and attempts of their own', () => {
    const check = play(opened(), press('k'), press('o')).state;
    expect(draw(check)).toContain('"total": 3');
    const logs = draw(play(check, press('l')).state);
    expect(logs).toContain('adding up');
    expect(logs).not.toContain('asking the bank');
    expect(draw(play(check, press('k'), press('l')).state)).toMatch(/adding up[\s\S]*asking the bank/);
    expect(draw(play(check, press('e')).state)).not.toContain('RETRYING');
  });

  it('have attempts, each with its worker, its times and its error', () => {
    const asked = play(opened(), press('a'));
    expect(asked.effects).toEqual([{ type: 'load-workers' }]);
    const state = play(asked.state, {
      type: 'worker-names',
      names: new Map([
        ['w1', 'one'],
        ['w2', 'two'],
      ]),
    });
    const frame = draw(state.state);
    expect(frame).toMatch(/attempt 1 of 2 {2}FAILED {2}[\d:.]+ – [\d:.]+ +\d+ ms {2}on one\n +first no/);
    expect(frame).toMatch(/attempt 2 of 2 {2}FAILED .* on two\n +no money/);
    expect(play(state.state, press('a')).effects).toEqual([]);
  });

  it("have their worker's name with them until those of all attempts are known", () => {
    const named = opened(
      tasks.map((task) => (task.name === 'charge' ? { ...task, workerId: 'w2', workerName: 'two' } : task)),
    );
    const frame = draw(play(named, press('a')).state);
    expect(frame).toMatch(/attempt 1 of 2 .* on w1\n/);
    expect(frame).toMatch(/attempt 2 of 2 .* on two\n/);
  });

  it('say why they wait, each alone or all together', () => {
    const cause = (text: string) => ({ code: 'SLOTS', text, until: null, ids: [] });
    const waiting = opened(
      [makeTask('a', { cause: cause('no free slot') }), makeTask('b', { cause: cause('paused') })],
      { status: 'RUNNING' },
    );
    expect(draw(play(waiting, press('w')).state)).toMatch(/a: SLOTS: no free slot\n b: SLOTS: paused/);
    const second = draw(play(waiting, press('w'), press('G')).state);
    expect(second).toContain('b: SLOTS: paused');
    expect(second).not.toContain('no free slot');
  });

  it('run again from there only after asking; the whole run where that is chosen', () => {
    const asked = play(opened(), press('R'));
    expect(asked.effects).toEqual([]);
    expect(draw(asked.state)).toContain('Run charge of order');
    expect(draw(asked.state).replaceAll(/[\s│]+/g, ' ')).toContain('again, and what follows it?');
    expect(play(asked.state, press('n')).effects).toEqual([]);
    expect(play(asked.state, press('y')).effects).toEqual([{ type: 'replay', id: 'task-charge' }]);
    expect(play(opened(), press('g'), press('R'), press('y')).effects).toEqual([{ type: 'replay', id: runId(1) }]);
  });

  it('leave the arrows to the pane after enter, and take them back with esc', () => {
    const long = opened(tasks.map((task) => ({ ...task, output: Array.from({ length: 60 }, (_, index) => index) })));
    const inPane = play(long, press('k'), press('o'), pressNamed('enter'), press('j')).state;
    expect(chosen(inPane)).toBe('check');
    expect(inPane.run?.scroll).toBe(1);
    // It stops where the last line is in sight.
    const end = play(inPane, press('G'), press('k')).state;
    expect(end.run?.scroll).toBe((play(inPane, press('G')).state.run?.scroll ?? 0) - 1);
    expect(draw(play(end, press('j')).state)).toContain(']');
    const back = play(inPane, pressNamed('escape'), press('j')).state;
    expect(chosen(back)).toBe('charge');
    expect(play(back, pressNamed('escape')).state.run).toBeUndefined();
  });
});

describe('attempts', () => {
  it('end where a task is taken from its worker', () => {
    for (const type of ['FINISHED', 'FAILED', 'TIMED_OUT', 'CANCELLED', 'REASSIGNED', 'DURABLE_EVICTED']) {
      const stays = attemptsOf(
        [event('ASSIGNED', 'a', { workerId: 'w1' }), event(type, 'a'), event('ASSIGNED', 'a', { workerId: 'w2' })],
        'task-a',
      );
      expect(stays).toMatchObject([
        { workerId: 'w1', end: type },
        { workerId: 'w2', end: null, endedAt: null },
      ]);
    }
  });

  it('are stays on a worker, whatever came in between', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            'QUEUED',
            'ASSIGNED',
            'STARTED',
            'FINISHED',
            'FAILED',
            'REASSIGNED',
            'RETRYING',
            'DURABLE_EVICTED',
          ),
          { maxLength: 30 },
        ),
        (types) => {
          const attempts = attemptsOf(
            types.map((type) => event(type, 'a')),
            'task-a',
          );
          expect(attempts).toHaveLength(types.filter((type) => type === 'ASSIGNED').length);
          for (const { end, endedAt } of attempts) expect(end === null).toBe(endedAt === null);
          expect(
            attemptsOf(
              types.map((type) => event(type, 'a')),
              'task-b',
            ),
          ).toEqual([]);
        },
      ),
    );
  });
});

describe('wrapText', () => {
  it('breaks at the width in cells, and loses nothing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', ' ', '工', 'é', '🧑‍💻', 'e\u0301'), { maxLength: 80 }),
        fc.integer({ min: 2, max: 30 }),
        (parts, width) => {
          const lines = wrapText(parts.join(''), width);
          expect(lines.join('')).toBe(parts.join(''));
          for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(width);
        },
      ),
    );
  });
});
