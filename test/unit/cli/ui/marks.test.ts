import { describe, expect, it } from 'vitest';
import { bulkEffects, type BulkEffects } from '../../../../cli/ui/bulk-effects.ts';
import { bulkDeed, type BulkDeed, type BulkOutcome } from '../../../../cli/admin/bulk-deed.ts';
import type { RunFilter, RunRow } from '../../../../cli/monitor/run-reader.ts';
import type { UiEffect, UiState } from '../../../../cli/ui/model/ui-state.ts';
import { UiStore } from '../../../../cli/ui/ui-store.ts';
import { ServerError } from '../../../../cli/output/server-error.ts';
import { draw } from './draw.tsx';
import {
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

const listed = (count: number, change: Partial<RunRow> = {}) => ({
  type: 'runs-listed' as const,
  rows: Array.from({ length: count }, (_, index) => makeRun(index, change)),
  next: null,
});
const marked = (state: UiState): string[] => [...state.marks.keys()].sort();

describe('marks', () => {
  it('are put and taken by space, and are seen without colour', () => {
    const state = play(emptyState(), listed(4), press(' '), press('j'), press('j'), press(' ')).state;
    expect(marked(state)).toEqual([runId(1), runId(3)]);
    expect(draw(state)).toMatch(/STATUS .* 2 marked\n \*○ QUEUED +order.*\n {2}○ QUEUED +order.*\n▸\*○ QUEUED/);
    expect(draw(state)).toContain('2 marked: x cancels, R replays');
    const fewer = play(state, press(' ')).state;
    expect(marked(fewer)).toEqual([runId(3)]);
    expect(play(fewer, press('k'), press('k'), press(' ')).state.marks.size).toBe(0);
    expect(play(emptyState(), press(' ')).state.marks.size).toBe(0);
  });

  it('stay by id while the list is read again, filtered, or loses the run', () => {
    const state = play(emptyState(), listed(3), press('j'), press(' '), listed(3), {
      type: 'events',
      events: [makeEvent(7, 'RUN_CREATED')],
    }).state;
    expect(draw(state)).toMatch(/▸\*○ QUEUED/);
    const away = play(state, ...typed('ffff'), {
      type: 'runs-found',
      key: 'FAILED ',
      page: undefined,
      rows: [],
      next: null,
    }).state;
    expect(marked(away)).toEqual([runId(1)]);
    expect(draw(away)).toMatch(/STATUS .* 1 marked\n/);
    expect(play(away, press('x')).state.dialog).toMatchObject({ kind: 'bulk', runs: [{ runId: runId(1) }] });
  });

  it('go with esc before the filter does', () => {
    const state = play(emptyState(), listed(3), press('f'), press(' ')).state;
    expect(state.marks.size).toBe(1);
    const cleared = play(state, pressNamed('escape')).state;
    expect([cleared.marks.size, cleared.filter]).toEqual([0, 'QUEUED']);
    expect(play(cleared, pressNamed('escape')).state.filter).toBe('ALL');
  });

  it('know how their runs went on, in the table or not', () => {
    const state = play(emptyState(), listed(2), press(' '), {
      type: 'events',
      events: [makeEvent(1, 'STARTED', { status: 'RUNNING' }), makeEvent(1, 'RUN_FINISHED', { status: 'COMPLETED' })],
    }).state;
    expect(state.marks.get(runId(1))?.status).toBe('COMPLETED');
    expect(draw(play(state, press('x')).state)).toContain('1 of them ended before, and stays as it is.');
    expect(draw(play(state, press('R')).state)).not.toContain('of them');
  });
});

describe('what is done to all that are marked', () => {
  const three = play(emptyState(), listed(3), press(' '), press('j'), press(' '), press('j'), press(' ')).state;

  it.each([
    ['x', 'Cancel 3 runs? (3 of order)', 'cancel'],
    ['R', 'Replay 3 runs? (3 of order)', 'replay'],
  ])('is asked with their count by %s', (input, question, deed) => {
    const asked = play(three, press(input));
    expect(asked.effects).toEqual([]);
    expect(draw(asked.state)).toContain(question);
    const no = play(asked.state, press('n'));
    expect([no.effects, no.state.dialog, no.state.marks.size]).toEqual([[], undefined, 3]);
    const yes = play(asked.state, press('y'));
    expect(yes.effects).toEqual([{ type: 'bulk', deed, runs: [...three.marks.values()] }]);
    expect(yes.state.marks.size).toBe(0);
  });

  it('shows how far it is, can be stopped, and shows how it went', () => {
    const doing = play(three, press('x'), press('y'), { type: 'bulk-progress', handled: 2 }).state;
    expect(draw(doing)).toContain('Cancelling: 2 of 3 runs');
    const stopped = play(doing, pressNamed('escape'), pressNamed('escape'));
    expect(stopped.effects).toEqual([{ type: 'stop-bulk' }]);
    const done = play(stopped.state, {
      type: 'bulk-done',
      outcome: { done: ['a'], refused: new Map([['b', 'COMPLETED before']]), tasks: [], left: 1, error: undefined },
    }).state;
    const frame = draw(done);
    for (const text of ['Cancelled 1 run.', 'Refused 1: 1 COMPLETED before.', 'Not come to 1: it was stopped.'])
      expect(frame).toContain(text);
    expect(play(done, pressNamed('enter')).state.dialog).toBeUndefined();
  });

  it('is the open run alone while one is open', () => {
    const open = play(three, pressNamed('enter'), press('x')).state;
    expect(open.dialog).toMatchObject({ kind: 'confirm', effect: { type: 'cancel' } });
  });
});

/** An engine that holds more runs than the screen has in memory. */
class Engine {
  readonly asked: RunFilter[] = [];
  readonly acted: (readonly string[])[] = [];
  #rows: readonly RunRow[];
  #act: (ids: readonly string[]) => string[];

  constructor(rows: readonly RunRow[], act: (ids: readonly string[]) => string[] = (ids) => [...ids]) {
    this.#rows = rows;
    this.#act = act;
  }

  /** The screen before the keys, and what comes of the effects that they have. */
  async play(state: UiState, ...keys: string[]): Promise<UiStore> {
    const store = new UiStore(state);
    const bulk = bulkEffects({
      store,
      connect: () => this.#reader(),
      admin: () => ({ cancel: (ids) => this.#do(ids), replay: (ids) => this.#do(ids), close: () => undefined }),
    });
    const working: Promise<unknown>[] = [];
    store.onEffect((effect) => void working.push(carryOut(bulk, effect)));
    for (const key of keys) {
      store.dispatch(key === 'esc' ? pressNamed('escape') : press(key));
      if (key !== 'A') await Promise.allSettled(working);
    }
    await Promise.allSettled(working);
    store.stop();
    return store;
  }

  #do(ids: readonly string[]): Promise<readonly string[]> {
    this.acted.push(ids);
    return Promise.resolve(this.#act(ids));
  }

  #reader() {
    return {
      listRuns: async (filter: RunFilter) => {
        this.asked.push(filter);
        const fitting = this.#rows.filter(
          (run) => filter.statuses === undefined || filter.statuses.includes(run.status),
        );
        const from = Number(filter.page ?? 0);
        const to = from + (filter.limit ?? 50);
        return { rows: fitting.slice(from, to), next: to < fitting.length ? String(to) : null };
      },
      getRun: async (id: string) => {
        const run = this.#rows.find((row) => row.runId === id);
        if (run === undefined) throw new ServerError('unknown', { status: 5, cause: undefined });
        return makeDetail(
          Array.from({ length: run.taskCount }, (_, index) => makeTask(`${id}-${index}`)),
          run,
        );
      },
      close: () => undefined,
    };
  }
}

async function carryOut(bulk: BulkEffects, effect: UiEffect): Promise<void> {
  if (effect.type === 'mark-all') await bulk.markAll();
  if (effect.type === 'stop-marking') bulk.stopMarking();
  if (effect.type === 'bulk') await bulk.run(effect.deed, effect.runs);
  if (effect.type === 'stop-bulk') bulk.stop();
}

describe('A', () => {
  const rows = Array.from({ length: 2_500 }, (_, index) =>
    makeRun(index, { status: index % 2 === 0 ? 'FAILED' : 'QUEUED' }),
  );

  it('takes all that the filter means, also those that are not in memory', async () => {
    const engine = new Engine(rows);
    const state = play(emptyState(), { ...listed(5), next: 'older' }, ...typed('ffff')).state;
    const store = await engine.play(state, 'A');
    expect(engine.asked.map(({ statuses, page }) => [statuses, page])).toEqual([
      [['FAILED'], undefined],
      [['FAILED'], '1000'],
    ]);
    expect(store.state.marks.size).toBe(1_250);
    expect([...store.state.marks.values()].every(({ status }) => status === 'FAILED')).toBe(true);
    expect(draw(store.state)).toContain('1,250 marked');
  });

  it('marks nothing of what was stopped, of what means nothing, and of what no run can be', async () => {
    const engine = new Engine(rows);
    const stopped = await engine.play(emptyState(), 'A', 'esc');
    expect([stopped.state.marks.size, stopped.state.marking, engine.asked.length]).toEqual([0, undefined, 1]);
    const broken = play(
      emptyState(),
      press('/'),
      ...typed('since:yesterday status:failed'),
      pressNamed('enter'),
      press('A'),
    );
    expect(broken.effects.some(({ type }) => type === 'mark-all')).toBe(false);
    expect(broken.state.notice?.text).toContain('since:yesterday means nothing');
    const asked = engine.asked.length;
    const neither = await engine.play(
      play(emptyState(), press('f'), press('/'), ...typed('status:failed'), pressNamed('enter')).state,
      'A',
    );
    expect([neither.state.marks.size, neither.state.marking, engine.asked.length]).toEqual([0, undefined, asked]);
  });

  it('holds x and R back until it knows which', () => {
    const state = play(emptyState(), listed(3), press('A'), press('x'));
    expect(state.state.dialog).toBeUndefined();
    expect(state.state.notice?.text).toContain('still being marked');
  });
});

describe('a deed to many runs', () => {
  const outcomeOf = ({ state: { dialog } }: UiStore): BulkOutcome | undefined =>
    dialog?.kind === 'bulk' && dialog.stage === 'done' ? dialog.outcome : undefined;
  const all = async (
    deed: BulkDeed,
    rows: readonly RunRow[],
    act?: (ids: readonly string[]) => string[],
    gone: readonly RunRow[] = [],
  ): Promise<{ engine: Engine; store: UiStore }> => {
    const engine = new Engine(rows, act);
    const runs = [...rows, ...gone];
    const state = emptyState({ marks: new Map(runs.map((run) => [run.runId, run])) });
    return { engine, store: await engine.play(state, deed === 'cancel' ? 'x' : 'R', 'y') };
  };

  it('goes in pieces, and counts what the engine refused, with why', async () => {
    const rows = Array.from({ length: 1_200 }, (_, index) =>
      makeRun(index, { status: index < 1_000 ? 'QUEUED' : 'COMPLETED' }),
    );
    const open = new Set(rows.filter(({ status }) => status === 'QUEUED').map((run) => run.runId));
    const { engine, store } = await all('cancel', rows, (ids) => ids.filter((id) => open.has(id)), [makeRun(5_000)]);
    expect(engine.acted.map((ids) => ids.length)).toEqual([500, 500, 201]);
    expect(outcomeOf(store)).toMatchObject({ done: [...open], left: 0 });
    expect([...(outcomeOf(store)?.refused.values() ?? [])].sort()).toEqual([
      ...Array(200).fill('COMPLETED before'),
      'not there any more',
    ]);
    expect(outcomeOf(store)?.refused.get(runId(5_000))).toBe('not there any more');
    expect(draw(store.state)).toMatch(
      /Cancelled 1,000 runs\.[^]*Refused 201: 200 COMPLETED before, 1 not there any more\./,
    );
  });

  it('counts runs that run again, where the engine tells tasks', async () => {
    const rows = [
      makeRun(1, { status: 'FAILED' }),
      makeRun(2, { status: 'FAILED', taskCount: 3 }),
      makeRun(3, { status: 'RUNNING' }),
      makeRun(4, { status: 'RUNNING', taskCount: 2 }),
    ];
    const { store } = await all('replay', rows, () => [
      runId(1),
      ...[0, 1, 2].map((index) => `task-${runId(2)}-${index}`),
    ]);
    expect(outcomeOf(store)).toMatchObject({
      done: [runId(1), runId(2)],
      refused: new Map([
        [runId(3), 'not ended'],
        [runId(4), 'not ended'],
      ]),
      left: 0,
    });
  });

  it('stops between two pieces', async () => {
    const rows = Array.from({ length: 700 }, (_, index) => makeRun(index));
    const stopping = new AbortController();
    const cancel = (ids: readonly string[]): Promise<readonly string[]> => {
      stopping.abort();
      return Promise.resolve(ids);
    };
    const outcome = await bulkDeed('cancel', rows, {
      admin: { cancel, replay: cancel },
      reader: { getRun: () => Promise.reject(new Error('nothing is in doubt')) },
      signal: stopping.signal,
      onProgress: () => undefined,
    });
    expect(outcome).toEqual({
      done: rows.slice(0, 500).map((run) => run.runId),
      refused: new Map(),
      tasks: [],
      left: 200,
      error: undefined,
    });
  });

  it('says what it did not come to when the engine goes away', async () => {
    let calls = 0;
    const rows = Array.from({ length: 700 }, (_, index) => makeRun(index));
    const { store } = await all('cancel', rows, (ids) => {
      if (++calls > 1) throw new Error('no engine answers');
      return [...ids];
    });
    expect(draw(store.state)).toMatch(/Cancelled 500 runs\.[^]*Not come to 200: no engine answers/);
  });
});
