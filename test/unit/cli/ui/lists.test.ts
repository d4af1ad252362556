import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import type { KeyRow, LimitRow, QueueFigures, QueueRow } from '../../../../cli/monitor/queue-rows.ts';
import type { WorkerRow, WorkflowRow } from '../../../../cli/monitor/run-reader.ts';
import type { CronRow, ScheduleFigures } from '../../../../cli/monitor/schedule-rows.ts';
import { selectedItem } from '../../../../cli/ui/model/lists/list-items.ts';
import type { UiState } from '../../../../cli/ui/model/ui-state.ts';
import { itemLine } from '../../../../cli/ui/views/list-columns.ts';
import { draw } from './draw.tsx';
import { at, emptyState, makeDetail, makeRun, makeTask, play, press, pressNamed, runId, typed } from './ui-world.ts';

const nowMs = 60_000;
const queue = (action: string, change: Partial<QueueRow> = {}): QueueRow => ({
  action,
  queued: 0,
  running: 0,
  delayed: 0,
  waitingForPlace: 0,
  waitingForUnits: 0,
  waitingForBatch: 0,
  workers: 1,
  oldestQueuedAt: null,
  ...change,
});
const key = (name: string, change: Partial<KeyRow> = {}): KeyRow => ({
  key: name,
  workflow: 'order',
  task: null,
  sharedName: null,
  strategy: 'GROUP_ROUND_ROBIN',
  held: 1,
  maxRuns: 2,
  waiting: 0,
  ...change,
});
const limit = (name: string, change: Partial<LimitRow> = {}): LimitRow => ({
  key: name,
  limit: 10,
  window: 'MINUTE',
  used: 4,
  refillAt: at(nowMs + 20_000),
  waiting: 0,
  tooLarge: 0,
  isStatic: true,
  ...change,
});
const cron = (id: string, change: Partial<CronRow> = {}): CronRow => ({
  cronId: id,
  name: id,
  workflow: 'report',
  expression: '0 3 * * *',
  timezone: 'Europe/Berlin',
  catchUp: 'none',
  enabled: true,
  isDeclared: false,
  nextAt: at(nowMs + 3_600_000),
  lastAt: null,
  lastRunId: null,
  lastError: null,
  ...change,
});
const workflow = (name: string, change: Partial<WorkflowRow> = {}): WorkflowRow => ({
  workflowId: `id-${name}`,
  name,
  description: '',
  versionId: 'v',
  createdAt: at(0),
  taskCount: 1,
  paused: false,
  eventKeys: [],
  ...change,
});

const figures = (change: Partial<QueueFigures> = {}): QueueFigures => ({
  queues: [
    queue('order:charge', { queued: 12, running: 3, waitingForPlace: 2, oldestQueuedAt: at(nowMs - 4_200) }),
    queue('mail:send', { workers: 0, queued: 1 }),
  ],
  keys: [key('ada', { held: 2, waiting: 7 })],
  limits: [limit('stripe', { used: 10, waiting: 1 })],
  total: { queues: 2, keys: 1, limits: 1 },
  ...change,
});
const timers = (change: Partial<ScheduleFigures> = {}): ScheduleFigures => ({
  crons: [cron('nightly'), cron('hourly', { isDeclared: true, lastAt: at(nowMs - 60_000), lastRunId: runId(7) })],
  schedules: [{ scheduleId: runId(3), workflow: 'order', dueAt: at(nowMs + 90_000) }],
  total: { crons: 2, schedules: 1 },
  ...change,
});

const queuesView = (change: Partial<QueueFigures> = {}): UiState =>
  play(emptyState(), press('4'), { type: 'queues', figures: figures(change) }).state;
const schedulesView = (change: Partial<ScheduleFigures> = {}): UiState =>
  play(emptyState({ workflows: [workflow('order'), workflow('report')] }), press('5'), {
    type: 'schedules',
    figures: timers(change),
  }).state;

describe('the queues', () => {
  it('show depth, places and units, and tell more of the selected row', () => {
    const frame = draw(queuesView());
    expect(frame).toMatch(/▸ order:charge +12 +3 +2 +0 +0 +1 +4\.2 s/);
    expect(frame).toMatch(/! mail:send/);
    expect(frame).toMatch(/ada +order +█{10} 2\/2 +7/);
    expect(frame).toMatch(/stripe +█{10} 10\/10 minute +in 20\.0 s +1/);
    expect(frame).toContain('12 queued for up to 4.2 s, 3 running, 1 worker takes it');
    expect(draw(play(queuesView(), press('j')).state)).toContain('no connected worker takes it');
    expect(draw(play(queuesView(), press('j'), press('j')).state)).toContain('2 of 2 places are taken, 7 wait for one');
    expect(draw(play(queuesView(), press('G')).state)).toMatch(
      /10 of 10 units of this minute are used, refills in 20\.0 s/,
    );
  });

  it('have full units again once the window is over, without hearing of it', () => {
    const later = play(queuesView(), press('G'), { type: 'clock', nowMs: Date.parse(at(nowMs + 30_000)) }).state;
    expect(draw(later)).toMatch(/stripe +░{10} 0\/10 minute/);
    expect(draw(later)).toContain('its window is over: full again');
  });

  it('keep the cursor on its row while others come before it', () => {
    const state = play(queuesView(), press('j'), {
      type: 'queues',
      figures: figures({ queues: [queue('a:a', { queued: 99 }), ...figures().queues] }),
    }).state;
    expect(selectedItem(state)?.id).toBe('queue mail:send');
    expect(selectedItem(play(state, { type: 'queues', figures: figures({ queues: [] }) }).state)?.kind).toBe('key');
  });

  it('say that there are more than are listed, and that there are none', () => {
    const many = Array.from({ length: 200 }, (_, index) => key(`k${index}`));
    expect(
      draw(play(queuesView({ keys: many, total: { queues: 2, keys: 5_000, limits: 1 } }), press('G')).state),
    ).toContain('and 4800 more');
    const none = draw(queuesView({ queues: [], keys: [], limits: [], total: { queues: 0, keys: 0, limits: 0 } }));
    for (const text of ['No queue yet', 'No concurrency key is in use', 'No rate limit']) expect(none).toContain(text);
  });

  it('say where an engine does not tell them, and are shown once one does', () => {
    const without = play(emptyState(), press('4'), {
      type: 'without-queues',
      text: 'only a hatchet-ts engine tells what waits in its queues, and this one is none (NOT_SUPPORTED). Use `hatchet runs list` for what waits',
    }).state;
    expect(draw(without).replaceAll(/\s+/g, ' ')).toContain(
      'and this one is none (NOT_SUPPORTED). Use `hatchet runs list` for what waits',
    );
    expect(draw(without)).not.toContain('No queue yet');
    expect(draw(play(without, { type: 'queues', figures: figures() }).state)).toContain('order:charge');
  });

  it('search through all three lists, and lead to the runs', () => {
    const found = play(queuesView(), press('/'), ...typed('ADA'), pressNamed('enter')).state;
    expect(selectedItem(found)).toMatchObject({ kind: 'key' });
    expect(draw(found)).not.toContain('mail:send');
    expect(draw(found)).toContain('only search ADA');
    expect(play(found, press('1')).state.searches.runs.text).toBe('');
    expect(selectedItem(play(found, pressNamed('escape')).state)?.kind).toBe('queue');
    expect(play(queuesView(), pressNamed('enter')).state).toMatchObject({
      view: 'runs',
      filter: 'QUEUED',
      searches: { runs: { text: 'order' } },
    });
  });

  it('cannot control the terminal', () => {
    const frame = draw(queuesView({ queues: [queue('a\u001b[2J:b')], keys: [key('k\u001b]0;x\u0007ey')] }));
    expect(frame).toContain('a:b');
    expect(frame).toContain('key');
    expect(frame).not.toContain('\u001b[2J');
    expect(itemLine({ kind: 'queue', id: 'q', row: queue('a\u001b[2J:b\u0007') }, { columns: 80, nowMs: 0 })).toMatch(
      /^a:b +0/,
    );
  });
});

describe('crons and scheduled runs', () => {
  it('show when they come, and what came last', () => {
    const frame = draw(schedulesView());
    expect(frame).toMatch(/▸ nightly +report +yes +0 3 \* \* \* +in 1 h 0 m/);
    expect(frame).toMatch(/hourly .*1 m 0 s ago/);
    expect(frame).toMatch(/order +2030-01-01 00:02:30Z +in 1 m 30 s/);
    expect(frame).toContain('Europe/Berlin');
  });

  it('claim nothing of ticks that the engine does not tell', () => {
    const frame = draw(
      schedulesView({
        crons: [cron('nightly', { nextAt: undefined, catchUp: '' })],
        total: { crons: 1, schedules: 1 },
      }),
    );
    expect(frame).toContain('switched on, made by the API');
    expect(frame).toContain('This engine does not tell when it comes next');
    expect(frame).not.toMatch(/never comes due|no run yet|missed ticks/);
  });

  it('are switched off and on', () => {
    expect(play(schedulesView(), press('p')).effects).toEqual([]);
    expect(play(schedulesView(), press('p'), press('y')).effects).toEqual([
      { type: 'enable-cron', cronId: 'nightly', name: 'nightly', enabled: false },
    ]);
    expect(play(schedulesView({ crons: [cron('off', { enabled: false, nextAt: null })] }), press('p')).effects).toEqual(
      [{ type: 'enable-cron', cronId: 'off', name: 'off', enabled: true }],
    );
    expect(draw(schedulesView({ crons: [cron('off', { enabled: false, nextAt: null })] }))).toMatch(/off +report +no /);
  });

  it('run now only after asking', () => {
    const asked = play(schedulesView(), press('n'));
    expect(asked.effects).toEqual([]);
    expect(draw(asked.state)).toContain('Run report now, with the input of its cron nightly?');
    expect(play(asked.state, press('n')).effects).toEqual([]);
    expect(play(asked.state, press('y')).effects).toEqual([{ type: 'run-cron', cronId: 'nightly', name: 'nightly' }]);
    expect(play(schedulesView(), press('G'), press('n'), press('y')).effects).toEqual([
      { type: 'run-schedule', scheduleId: runId(3) },
    ]);
  });

  it('are deleted only after asking, and a declared one not at all', () => {
    expect(play(schedulesView(), press('x')).effects).toEqual([]);
    expect(play(schedulesView(), press('x'), press('y')).effects).toEqual([
      { type: 'delete-cron', cronId: 'nightly', name: 'nightly' },
    ]);
    expect(play(schedulesView(), press('G'), press('x'), press('y')).effects).toEqual([
      { type: 'delete-schedule', scheduleId: runId(3) },
    ]);
    const declared = play(schedulesView(), press('j'), press('x')).state;
    expect(declared.dialog).toBeUndefined();
    expect(declared.notice?.text).toContain('report declares this cron');
  });

  it('lead to their last run, or to the runs of their workflow', () => {
    expect(play(schedulesView(), press('j'), pressNamed('enter')).state.run?.runId).toBe(runId(7));
    expect(play(schedulesView(), pressNamed('enter')).state).toMatchObject({
      view: 'runs',
      searches: { runs: { text: 'report' } },
    });
  });

  it('say why the last tick made no run', () => {
    const frame = draw(schedulesView({ crons: [cron('bad', { lastError: 'there is no workflow' })] }));
    expect(frame).toContain('! bad');
    expect(frame).toContain('the last tick made no run: there is no workflow');
  });

  it('trigger the workflow that they are about', () => {
    expect(play(schedulesView(), press('t')).effects).toEqual([{ type: 'load-workflow', name: 'report' }]);
  });
});

describe('workflows and workers', () => {
  it('pause and resume a workflow, and say which is paused', () => {
    const state = play(
      emptyState({ workflows: [workflow('order'), workflow('report', { paused: true })] }),
      press('2'),
    ).state;
    expect(play(state, press('p'), press('n')).effects).toEqual([]);
    expect(play(state, press('p'), press('y')).effects).toEqual([
      { type: 'pause-workflow', name: 'order', paused: true },
    ]);
    expect(play(state, press('j'), press('p')).effects).toEqual([
      { type: 'pause-workflow', name: 'report', paused: false },
    ]);
    expect(draw(play(state, press('j')).state)).toMatch(/▸ report +PAUSED[^]*its queued tasks wait[^]*p resumes it/);
  });

  it('say which worker does not answer', () => {
    const worker: WorkerRow = {
      workerId: 'w',
      name: 'mailer',
      status: 'NOT_ANSWERING',
      actions: ['mail:send'],
      slots: [{ type: 'default', total: 10, used: 1 }],
      registeredAt: at(nowMs - 60_000),
      lastHeartbeatAt: at(nowMs),
      sdk: 'typescript',
    };
    expect(draw(play(emptyState({ workers: [worker] }), press('3')).state)).toMatch(
      /▸ mailer +does not answer .*1\/10/,
    );
  });

  it('copy what is selected', () => {
    const state = play(
      emptyState({ workflows: [workflow('order'), workflow('report')] }),
      press('2'),
      press('j'),
    ).state;
    expect(play(state, press('y')).effects).toEqual([{ type: 'copy', text: 'id-report' }]);
    expect(play(queuesView(), press('y')).effects).toEqual([{ type: 'copy', text: 'order:charge' }]);
  });

  it('scroll through more than fit', () => {
    const workflows = Array.from({ length: 300 }, (_, index) => workflow(`w${String(index).padStart(3, '0')}`));
    const end = play(emptyState({ workflows }), press('2'), press('G')).state;
    expect(draw(end)).toContain('▸ w299');
    expect(draw(play(end, pressNamed('pageUp')).state)).not.toContain('w299');
    expect(draw(play(end, press('g')).state)).toContain('▸ w000');
  });
});

describe('without colours', () => {
  it('says which view and which pane is open', () => {
    expect(draw(queuesView())).toContain(' 3 Workers [4 Queues] 5 Schedules ');
    const run = play(emptyState(), { type: 'runs-listed', rows: [makeRun(1)], next: null }, press('l'), {
      type: 'run-detail',
      runId: runId(1),
      detail: makeDetail([makeTask('one')]),
    }).state;
    expect(draw(run)).toContain(' [e]vents ▸[l]ogs ');
  });
});

describe('every list', () => {
  const long = '工作流'.repeat(20);
  const lists = emptyState({
    workflows: Array.from({ length: 90 }, (_, index) => workflow(`${long}${index}`, { description: long })),
  });
  const filled = play(
    lists,
    {
      type: 'queues',
      figures: figures({
        queues: [queue(long, { queued: 123_456 })],
        keys: Array.from({ length: 50 }, (_, index) => key(`${long}${index}`, { workflow: long, task: long })),
        limits: [limit(long, { limit: 1_000_000, used: 999_999 })],
      }),
    },
    {
      type: 'schedules',
      figures: timers({
        crons: [cron(long, { workflow: long, expression: '*/15 0-23 1,15 * MON-FRI' })],
        schedules: [{ scheduleId: runId(1), workflow: long, dueAt: at(0) }],
      }),
    },
  ).state;

  it.each([
    [24, 80],
    [40, 120],
  ])('fits %i×%i at its beginning and its end', (rows, columns) => {
    for (const view of ['2', '4', '5']) {
      for (const place of ['g', 'G']) {
        const lines = draw(play(filled, { type: 'resize', rows, columns }, press(view), press(place)).state).split(
          '\n',
        );
        expect(lines.length).toBeLessThan(rows);
        for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
        expect(lines.filter((line) => line.startsWith('▸'))).toHaveLength(1);
      }
    }
  });
});

describe('the keys of a run', () => {
  const listed = (status: 'RUNNING' | 'FAILED') =>
    play(emptyState(), { type: 'runs-listed', rows: [makeRun(1, { status })], next: null }).state;

  it('replay what has ended, in the table and in the run', () => {
    expect(play(listed('FAILED'), press('R'), press('n')).effects).toEqual([]);
    expect(play(listed('FAILED'), press('R'), press('y')).effects).toEqual([{ type: 'replay', id: runId(1) }]);
    expect(play(listed('FAILED'), pressNamed('enter'), press('R'), press('y')).effects).toEqual([
      { type: 'replay', id: runId(1) },
    ]);
    const running = play(listed('RUNNING'), press('R'));
    expect(running.effects).toEqual([]);
    expect(running.state.notice?.text).toContain('has not ended');
    expect(play(emptyState(), press('R')).effects).toEqual([]);
  });

  it('open a run at its logs, or at why it waits', () => {
    expect(play(listed('RUNNING'), press('l')).state.run).toMatchObject({ runId: runId(1), pane: 'logs' });
    expect(play(listed('RUNNING'), press('w')).state.run).toMatchObject({ runId: runId(1), pane: 'why' });
  });
});

describe('the logs', () => {
  const state = play(emptyState(), press('6'), {
    type: 'log-lines',
    lines: [
      { source: 'engine', text: 'engine │ 03:20 WARN lost' },
      ...Array.from({ length: 100 }, (_, index) => ({ source: 'worker' as const, text: `worker │ line ${index}` })),
    ],
  }).state;

  it('follow the end until they are scrolled, and again from the end on', () => {
    expect(draw(state)).toContain('line 99');
    const up = play(state, pressNamed('pageUp'), {
      type: 'log-lines',
      lines: [{ source: 'worker', text: 'worker │ newest' }],
    }).state;
    expect(draw(up)).not.toContain('newest');
    expect(draw(play(up, press('G')).state)).toContain('newest');
    expect(draw(play(state, press('g')).state)).toContain('lost');
  });

  it('show one source, and what is searched', () => {
    const engine = play(state, press('f')).state;
    expect(draw(engine)).toContain('engine alone');
    expect(draw(engine)).toContain('lost');
    expect(draw(engine)).not.toContain('line 99');
    const found = play(state, press('/'), ...typed('line 42'), pressNamed('enter')).state;
    expect(draw(found)).toContain('line 42');
    expect(draw(found)).not.toContain('line 99');
    expect(draw(play(found, pressNamed('escape')).state)).toContain('line 99');
  });
});
