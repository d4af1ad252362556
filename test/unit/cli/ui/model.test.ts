import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { applyEvents, mergeRuns } from '../../../../cli/ui/model/runs/known-runs.ts';
import { rank } from '../../../../cli/ui/model/runs/run-after-event.ts';
import { prefillInput } from '../../../../cli/ui/model/forms/prefill-input.ts';
import { visibleRuns } from '../../../../cli/ui/model/runs/visible-runs.ts';
import { waterfall } from '../../../../cli/ui/model/run/waterfall.ts';
import {
  at,
  emptyState,
  makeEvent,
  makeRun,
  makeTask,
  play,
  press,
  pressNamed,
  runId,
  startMs,
  typed,
} from './ui-world.ts';

const listed = (count: number) => ({
  type: 'runs-listed' as const,
  rows: Array.from({ length: count }, (_, index) => makeRun(index)),
  next: null,
});

describe('the table of runs', () => {
  it('follows a run through its life', () => {
    const { state } = play(emptyState(), {
      type: 'events',
      events: [makeEvent(1, 'RUN_CREATED'), makeEvent(1, 'QUEUED'), makeEvent(1, 'STARTED', { status: 'RUNNING' })],
    });
    expect(state.runs.get(runId(1))).toMatchObject({ status: 'RUNNING', workflow: 'order' });
    const ended = play(state, {
      type: 'events',
      events: [
        makeEvent(1, 'FAILED', { status: 'FAILED', message: 'boom' }),
        makeEvent(1, 'RUN_FINISHED', { status: 'FAILED' }),
      ],
    }).state;
    expect(ended.runs.get(runId(1))).toMatchObject({ status: 'FAILED', errorMessage: 'boom' });
  });

  it('opens a run again with a replay of its tasks', () => {
    const { state } = play(emptyState(), {
      type: 'events',
      events: [
        makeEvent(1, 'STARTED', { status: 'RUNNING' }),
        makeEvent(1, 'FAILED', { status: 'FAILED', message: 'boom' }),
        makeEvent(1, 'RUN_FINISHED', { status: 'FAILED' }),
        makeEvent(1, 'RETRIED_BY_USER'),
      ],
    });
    expect(state.runs.get(runId(1))).toMatchObject({
      status: 'QUEUED',
      startedAt: null,
      finishedAt: null,
      errorMessage: null,
    });
    const { state: again } = play(state, {
      type: 'events',
      events: [makeEvent(1, 'STARTED', { status: 'RUNNING' }), makeEvent(1, 'RUN_FINISHED', { status: 'COMPLETED' })],
    });
    expect(again.runs.get(runId(1))).toMatchObject({ status: 'COMPLETED', errorMessage: null });
  });

  it('does not depend on whether the list or the events came first', () => {
    const life = [
      makeEvent(1, 'RUN_CREATED'),
      makeEvent(1, 'STARTED', { status: 'RUNNING' }),
      makeEvent(1, 'RUN_FINISHED', { status: 'COMPLETED' }),
    ];
    fc.assert(
      fc.property(fc.nat({ max: 3 }), fc.nat({ max: 3 }), (listedAt, seenAt) => {
        const row = makeRun(1, {
          status: (['QUEUED', 'QUEUED', 'RUNNING', 'COMPLETED'] as const)[listedAt] ?? 'QUEUED',
        });
        const empty = { runs: new Map(), order: [] };
        const before = applyEvents(empty, life.slice(0, seenAt));
        const merged = applyEvents(mergeRuns(before, [row]), life.slice(seenAt));
        expect(merged.runs.get(runId(1))?.status).toBe('COMPLETED');
        expect(merged.order).toEqual([runId(1)]);
        const between = mergeRuns(before, [row]).runs.get(runId(1))?.status ?? 'QUEUED';
        expect(rank(between)).toBe(Math.max(rank(row.status), rank(before.runs.get(runId(1))?.status ?? 'QUEUED')));
      }),
    );
  });

  it('holds 10,000 runs, newest first, and lets the oldest go', () => {
    const { state } = play(emptyState(), listed(10_500));
    expect(state.order).toHaveLength(10_000);
    expect(state.order[0]).toBe(runId(10_499));
    expect(state.runs.size).toBe(10_000);
  });

  it('holds runs whose ids tell no time in the order of their creation', () => {
    const random = [
      'f0000000-0000-4000-8000-000000000001',
      '10000000-0000-4000-8000-000000000002',
      '90000000-0000-4000-8000-000000000003',
    ];
    const [oldest = '', middle = '', newest = ''] = random;
    const rows = [makeRun(1, { runId: oldest, createdAt: at(1) }), makeRun(2, { runId: middle, createdAt: at(2) })];
    const { state } = play(
      emptyState(),
      { type: 'runs-listed', rows, next: null },
      { type: 'events', events: [makeEvent(3, 'RUN_CREATED', { runId: newest, time: at(3) })] },
    );
    expect(state.order).toEqual([newest, middle, oldest]);
  });

  it('filters and searches', () => {
    const base = play(emptyState(), {
      type: 'runs-listed',
      rows: [makeRun(1, { status: 'FAILED' }), makeRun(2, { workflow: 'mail' })],
      next: null,
    }).state;
    const failed = play(base, press('f'), press('f'), press('f'), press('f')).state;
    expect(failed.filter).toBe('FAILED');
    expect(visibleRuns(failed).map((run) => run.runId)).toEqual([runId(1)]);
    const searched = play(base, press('/'), ...typed('MAI'), pressNamed('enter')).state;
    expect(visibleRuns(searched).map((run) => run.workflow)).toEqual(['mail']);
    expect(visibleRuns(play(searched, pressNamed('escape')).state)).toHaveLength(2);
  });

  it('asks the engine for what fits, over all runs, and shows it with what is here', () => {
    const base = play(emptyState(), { ...listed(3), next: 'older' }).state;
    const failed = play(base, press('f'), press('f'), press('f'), press('f'));
    const key = 'FAILED ';
    expect(failed.effects.at(-1)).toEqual({ type: 'find-runs', key, page: undefined });
    expect(visibleRuns(failed.state)).toEqual([]);
    const old = [runId(90), runId(80)].map((id, index) =>
      makeRun(90 - index, { runId: id.replace('0198', '0190'), status: 'FAILED' }),
    );
    const found = play(failed.state, { type: 'runs-found', key, page: undefined, rows: old, next: 'more' }).state;
    expect(visibleRuns(found)).toEqual(old);
    // At the end of what was found there is more of it.
    const more = play(found, press('G'));
    expect(more.effects).toEqual([{ type: 'find-runs', key, page: 'more' }]);
    expect(play(more.state, press('G')).effects).toEqual([]);
    const third = makeRun(70, { runId: runId(70).replace('0198', '0190'), status: 'FAILED' });
    const all = play(more.state, { type: 'runs-found', key, page: 'more', rows: [third], next: null }).state;
    expect(visibleRuns(all)).toEqual([...old, third]);
    // An answer to what is not asked for any more is nothing.
    expect(
      visibleRuns(play(all, { type: 'runs-found', key: 'ALL x', page: undefined, rows: [], next: null }).state),
    ).toHaveLength(3);
    // A run that fails now is among them; one that is replayed is not.
    const event = { ...makeEvent(2, 'RUN_FINISHED'), status: 'FAILED' as const };
    expect(visibleRuns(play(all, { type: 'events', events: [event] }).state).map((run) => run.runId)[0]).toBe(runId(2));
    expect(play(all, pressNamed('escape')).state.found).toBeUndefined();
  });

  it('asks again for metadata once new runs came, since events do not tell theirs', () => {
    const base = play(emptyState(), press('/'), ...typed('customer:ada'), pressNamed('enter')).state;
    const found = play(base, {
      type: 'runs-found',
      key: 'ALL customer:ada',
      page: undefined,
      rows: [makeRun(1, { metadata: { customer: 'ada' } })],
      next: null,
    }).state;
    expect(visibleRuns(found)).toHaveLength(1);
    const later = play(
      found,
      { type: 'events', events: [makeEvent(9, 'RUN_CREATED')] },
      { type: 'clock', nowMs: found.nowMs + 5_000 },
    );
    expect(later.effects).toEqual([{ type: 'find-runs', key: 'ALL customer:ada', page: undefined }]);
    expect(visibleRuns(later.state)).toHaveLength(1);
  });

  it('stays on its run while others come, and follows the newest at the top', () => {
    const base = play(emptyState(), listed(5)).state;
    const moved = play(base, press('j'), { type: 'events', events: [makeEvent(9, 'RUN_CREATED')] }).state;
    expect(moved.selected).toBe(runId(3));
    const top = play(moved, press('g')).state;
    expect(top.selected).toBeUndefined();
    expect(play(top, pressNamed('enter')).state.run?.runId).toBe(runId(9));
  });

  it('asks for older runs near the end', () => {
    const base = play(emptyState(), { ...listed(30), next: 'page-2' }).state;
    expect(play(base, press('j')).effects).toEqual([]);
    expect(play(base, press('G')).effects).toEqual([{ type: 'load-older', page: 'page-2' }]);
  });
});

describe('keys', () => {
  const workflow = {
    workflowId: 'w',
    name: 'order',
    description: '',
    versionId: 'v',
    createdAt: null,
    taskCount: 1,
    paused: false,
    eventKeys: [],
  };

  it('cancel only after asking, and only what has not ended', () => {
    const base = play(emptyState(), {
      type: 'runs-listed',
      rows: [makeRun(1, { status: 'RUNNING' })],
      next: null,
    }).state;
    const asked = play(base, press('x'));
    expect(asked.effects).toEqual([]);
    expect(asked.state.dialog).toMatchObject({ kind: 'confirm', effect: { type: 'cancel', runId: runId(1) } });
    expect(play(asked.state, press('n')).effects).toEqual([]);
    expect(play(asked.state, press('y')).effects).toEqual([{ type: 'cancel', runId: runId(1) }]);
    const ended = play(emptyState(), {
      type: 'runs-listed',
      rows: [makeRun(1, { status: 'COMPLETED' })],
      next: null,
    }).state;
    expect(play(ended, press('x')).state.dialog).toBeUndefined();
  });

  it('trigger with an input from the schema, and refuse one against it', () => {
    const base = play(emptyState(), { type: 'workflows', workflows: [workflow] }).state;
    const opened = play(base, press('t'));
    expect(opened.effects).toEqual([{ type: 'load-workflow', name: 'order' }]);
    const schema = { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] };
    const known = play(opened.state, {
      type: 'workflow',
      workflow: { workflow, tasks: [], inputJsonSchema: schema, defaultPriority: 1 },
      lastInput: undefined,
    }).state;
    expect(known.dialog).toMatchObject({ kind: 'trigger', value: { text: '{"message":""}' } });
    expect(play(known, pressNamed('enter')).effects).toEqual([
      { type: 'trigger', workflow: 'order', input: '{"message":""}' },
    ]);
    const wrong = play(known, press('u', { ctrl: true }), ...typed('{"message":1}'), pressNamed('enter'));
    expect(wrong.effects).toEqual([]);
    expect(wrong.state.dialog).toMatchObject({ error: expect.stringContaining('message') });
    const broken = play(wrong.state, press('u', { ctrl: true }), ...typed('{'), pressNamed('enter'));
    expect(broken.state.dialog).toMatchObject({ error: expect.stringContaining('line 1') });
  });

  it('leave a typed input alone when the schema arrives', () => {
    const base = play(
      emptyState(),
      { type: 'workflows', workflows: [workflow] },
      press('t'),
      press('u', { ctrl: true }),
      ...typed('{"a":1}'),
    ).state;
    const known = play(base, {
      type: 'workflow',
      workflow: { workflow, tasks: [], inputJsonSchema: null, defaultPriority: 1 },
      lastInput: '{"b":2}',
    }).state;
    expect(known.dialog).toMatchObject({ value: { text: '{"a":1}' } });
  });

  it('without a workflow say so instead of asking', () => {
    expect(play(emptyState(), press('t')).state.notice?.text).toContain('worker');
  });

  it('quit, interrupt, copy; q in a text is a letter', () => {
    const base = play(emptyState(), listed(1)).state;
    expect(play(base, press('q')).effects).toEqual([{ type: 'quit' }]);
    expect(play(base, press('c', { ctrl: true })).effects).toEqual([{ type: 'interrupt' }]);
    expect(play(base, press('y')).effects).toEqual([{ type: 'copy', text: runId(0) }]);
    const searching = play(base, press('/'), press('q'));
    expect(searching.effects).toEqual([{ type: 'find-runs', key: 'ALL q', page: undefined }]);
    expect(searching.state.searches.runs.text).toBe('q');
    expect(play(searching.state, press('c', { ctrl: true })).effects).toEqual([{ type: 'interrupt' }]);
  });

  it('open the page, and show its address until a key is pressed, which y copies', () => {
    expect(play(emptyState(), press('O')).effects).toEqual([{ type: 'open-page' }]);
    const url = 'http://127.0.0.1:8888/sign-in#code=a.b';
    const shown = play(emptyState(), { type: 'page', url, isOpen: false }).state;
    expect(shown.dialog).toEqual({ kind: 'page', url, isOpen: false });
    const copied = play(shown, press('y'));
    expect([copied.state.dialog, copied.effects]).toEqual([undefined, [{ type: 'copy', text: url }]]);
    expect(play(shown, pressNamed('escape'))).toMatchObject({ state: { dialog: undefined }, effects: [] });
    const asking = play(emptyState(), press('/')).state;
    expect(play(asking, { type: 'page', url, isOpen: true }).state.dialog).toEqual({ kind: 'search' });
  });

  it('never throw, whatever is pressed', () => {
    const key = fc.oneof(
      fc.constantFrom(...'123456qtxyrRflieowpna/?jkgGn[]{}"EAMO '.split('')).map((input) => press(input)),
      fc
        .constantFrom(
          'up' as const,
          'down' as const,
          'left' as const,
          'right' as const,
          'enter' as const,
          'escape' as const,
          'tab' as const,
          'backspace' as const,
          'pageUp' as const,
          'end' as const,
        )
        .map(pressNamed),
      fc.string({ maxLength: 3 }).map((input) => press(input)),
    );
    const base = play(emptyState({ workflows: [workflow] }), listed(40)).state;
    fc.assert(
      fc.property(fc.array(key, { maxLength: 60 }), (keys) => {
        const { state } = play(base, ...keys);
        if (state.dialog?.kind === 'trigger' || state.dialog?.kind === 'event')
          expect(state.dialog.value.cursor).toBeLessThanOrEqual(state.dialog.value.text.length);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a run that was triggered here', () => {
  it('is the selected one, whichever was before', () => {
    const before = play(emptyState(), listed(3), pressNamed('down')).state;
    expect(before.selected).toBe(runId(1));
    const { state } = play(
      before,
      { type: 'triggered', runId: runId(9), workflow: 'order', atMs: startMs },
      { type: 'events', events: [makeEvent(9, 'RUN_CREATED'), makeEvent(9, 'QUEUED')] },
    );
    expect(state.notice?.text).toBe(`triggered order, run ${runId(9)}`);
    expect(play(state, pressNamed('enter')).state.run?.runId).toBe(runId(9));
  });
});

describe('prefillInput', () => {
  it('takes defaults, examples and choices before empty values', () => {
    const schema = {
      type: 'object',
      properties: {
        a: { type: 'string', default: 'x' },
        b: { enum: ['one', 'two'] },
        c: { type: 'integer', minimum: 3 },
        d: { type: 'array' },
        e: { type: 'object', properties: { f: { type: 'boolean' } } },
        g: { anyOf: [{ type: 'null' }, { type: 'string' }] },
      },
    };
    expect(prefillInput(schema)).toEqual({ a: 'x', b: 'one', c: 3, d: [], e: { f: false }, g: null });
    expect(
      prefillInput({ type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } }, required: ['b'] }),
    ).toEqual({ b: '' });
  });

  it('begins with the number next to 0 that the schema allows', () => {
    const schema = z.toJSONSchema(
      z.object({
        a: z.int(),
        b: z.int().positive(),
        c: z.number().min(2.5),
        d: z.int().negative(),
        e: z.number().gt(-1).lt(1),
      }),
    );
    expect(prefillInput(schema)).toEqual({ a: 0, b: 1, c: 2.5, d: -1, e: 0 });
  });

  it('ends on a schema that holds itself', () => {
    const schema: Record<string, unknown> = { type: 'object', properties: {} };
    schema['properties'] = { child: schema };
    expect(JSON.stringify(prefillInput(schema))).toContain('child');
  });

  it('follows references within the schema, as zod writes what is used twice', () => {
    const Address = z.object({ street: z.string().default('Main St'), 'a/b~%': z.int() }).meta({ id: 'Address' });
    const Order = z.object({ to: Address, billTo: Address.nullable(), lines: z.array(Address) });
    const schema = z.toJSONSchema(Order, { io: 'input', reused: 'ref' });
    expect(JSON.stringify(schema)).toContain('"$ref":"#/$defs/Address"');
    expect(prefillInput(schema)).toEqual({ to: { 'a/b~%': 0 }, billTo: { 'a/b~%': 0 }, lines: [] });
    expect(prefillInput({ $ref: '#/$defs/a~1b~0%25', $defs: { 'a/b~%': { const: 7 } } })).toBe(7);
    // What stands beside a reference goes before it; pydantic wraps one, to put a default beside it.
    expect(prefillInput({ $ref: '#/$defs/A', default: 'mine', $defs: { A: { const: 7 } } })).toBe('mine');
    expect(prefillInput({ allOf: [{ $ref: '#/$defs/A' }], $defs: { A: { const: 7 } } })).toBe(7);
    expect(
      prefillInput({
        allOf: [{ $ref: '#/$defs/A' }, { properties: { b: { type: 'null' } } }],
        $defs: { A: { properties: { a: { const: 1 } } } },
      }),
    ).toEqual({ a: 1, b: null });
  });

  it('leaves a definition out within itself, and takes another choice where there is one', () => {
    const Node = z.object({
      name: z.string(),
      get next() {
        return Node.nullable();
      },
      get other() {
        return Node.optional();
      },
    });
    expect(prefillInput(z.toJSONSchema(Node, { io: 'input' }))).toEqual({ name: '', next: null });
    expect(prefillInput(z.toJSONSchema(z.object({ node: Node }), { io: 'input' }))).toEqual({
      node: { name: '', next: null },
    });
    expect(
      prefillInput({
        properties: { a: { $ref: '#/$defs/A' } },
        $defs: { A: { $ref: '#/$defs/B' }, B: { $ref: '#/$defs/A' } },
      }),
    ).toEqual({});
    for (const reference of ['#', '#/$defs/none', '#/$defs/%', '#anchor', 'other.json#/a', '#/$defs/constructor'])
      expect(prefillInput({ $ref: reference, $defs: {} })).toEqual({});
  });

  it('stays small where definitions use each other many times', () => {
    const names = Array.from({ length: 10 }, (_, index) => `D${index}`);
    const properties = Object.fromEntries(names.map((name) => [name, { $ref: `#/$defs/${name}` }]));
    const schema = { properties, $defs: Object.fromEntries(names.map((name) => [name, { properties }])) };
    expect(JSON.stringify(prefillInput(schema)).length).toBeLessThan(10_000);
  });
});

describe('waterfall', () => {
  it('puts waiting and running on one scale', () => {
    const rows = waterfall(
      [
        makeTask('a', { status: 'COMPLETED', queuedAt: at(0), startedAt: at(0), finishedAt: at(50) }),
        makeTask('b', { status: 'RUNNING', queuedAt: at(50), startedAt: at(75) }),
      ],
      { width: 40, nowMs: startMs + 100 },
    );
    expect(rows.map((row) => row.bar)).toEqual([
      { before: 0, waiting: 0, running: 20 },
      { before: 20, waiting: 10, running: 10 },
    ]);
    expect(rows.map((row) => row.took)).toEqual(['50 ms', '25 ms']);
  });

  it('never leaves its width', () => {
    const time = fc.option(fc.integer({ min: 0, max: 10_000 }).map(at), { nil: null });
    const task = fc
      .record({ queuedAt: time, startedAt: time, finishedAt: time })
      .map((change) => makeTask('t', change));
    fc.assert(
      fc.property(fc.array(task, { maxLength: 8 }), fc.integer({ min: 10, max: 120 }), (tasks, width) => {
        for (const { bar } of waterfall(tasks, { width, nowMs: startMs + 5_000 })) {
          for (const part of [bar.before, bar.waiting, bar.running]) expect(part).toBeGreaterThanOrEqual(0);
          expect(bar.before + bar.waiting + bar.running).toBeLessThanOrEqual(width + 1);
        }
      }),
    );
  });
});
