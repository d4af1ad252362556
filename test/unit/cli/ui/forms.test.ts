import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { choicesOf } from '../../../../cli/ui/model/forms/form-choices.ts';
import { fieldOf } from '../../../../cli/ui/model/forms/edit-text.ts';
import type { UiState } from '../../../../cli/ui/model/ui-state.ts';
import { draw } from './draw.tsx';
import { emptyState, makeRun, play, press, pressNamed, typed } from './ui-world.ts';

const workflow = (name: string, eventKeys: readonly string[] = []) => ({
  workflowId: name,
  name,
  description: '',
  versionId: 'v',
  createdAt: null,
  taskCount: 1,
  paused: false,
  eventKeys,
});
const workflows = [
  workflow('mail', ['mail:*']),
  workflow('order', ['order:created', 'order:paid']),
  workflow('reorder', ['order:created']),
];
const known = (name: string, inputJsonSchema: unknown, lastInput?: string) => ({
  type: 'workflow' as const,
  workflow: { workflow: workflow(name), tasks: [], inputJsonSchema, defaultPriority: 1 },
  lastInput,
});
const schema = { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] };

function form(state: UiState) {
  if (state.dialog?.kind !== 'trigger' && state.dialog?.kind !== 'event') throw new Error('there is no form');
  return state.dialog;
}

describe('the form that triggers', () => {
  it('asks which workflow while none is looked at, and finds it by what is typed', () => {
    const opened = play(emptyState({ workflows }), press('t')).state;
    expect(form(opened).field).toBe('name');
    const found = play(opened, ...typed('ORDER'));
    // What begins with it comes first.
    expect(draw(found.state)).toMatch(/▸ order +│\n│ {3}reorder/);
    expect(found.effects).toEqual([{ type: 'load-workflow', name: 'order' }]);
    expect(play(found.state, pressNamed('down')).effects).toEqual([{ type: 'load-workflow', name: 'reorder' }]);
    const sent = play(found.state, pressNamed('enter'), known('order', schema), pressNamed('enter'));
    expect(sent.effects.at(-1)).toEqual({ type: 'trigger', workflow: 'order', input: '{"id":0}' });
  });

  it('goes straight to the input of the workflow that is looked at', () => {
    const opened = play(
      emptyState({ workflows }),
      { type: 'runs-listed', rows: [makeRun(1, { workflow: 'order' })], next: null },
      press('t'),
    );
    expect(form(opened.state).field).toBe('value');
    expect(opened.effects).toEqual([{ type: 'load-workflow', name: 'order' }]);
    expect(play(opened.state, pressNamed('tab')).state.dialog).toMatchObject({ field: 'name' });
  });

  it('begins with the schema, else with the last input, else with an empty object', () => {
    const opened = play(emptyState({ workflows }), press('t'), ...typed('order'), pressNamed('enter')).state;
    expect(form(opened).value.text).toBe('{}');
    expect(form(play(opened, known('order', null, '{"id":7}')).state).value.text).toBe('{"id":7}');
    expect(form(play(opened, known('order', schema, '{"id":7}')).state).value.text).toBe('{"id":0}');
    expect(form(play(opened, known('mail', schema)).state).value.text).toBe('{}');
  });

  it('says that no workflow fits, and sends nothing', () => {
    const none = play(emptyState({ workflows }), press('t'), ...typed('xyz'), pressNamed('enter'), pressNamed('enter'));
    expect(none.effects.filter(({ type }) => type === 'trigger')).toEqual([]);
    expect(draw(none.state)).toContain('none fits');
    expect(draw(none.state)).toContain('No workflow\'s name holds "xyz".');
  });
});

describe('the form that pushes an event', () => {
  const opened = play(emptyState({ workflows }), press('E')).state;

  it('offers the keys that workflows listen to, each once', () => {
    expect(form(opened).names).toEqual(['mail:*', 'order:created', 'order:paid']);
    const sent = play(opened, ...typed('paid'), pressNamed('enter'), known('order', schema), pressNamed('enter'));
    expect(sent.effects.at(-1)).toEqual({ type: 'push-event', key: 'order:paid', payload: '{"id":0}' });
  });

  it('takes a key that nobody listens to, as it was typed', () => {
    const typedKey = play(opened, ...typed('new:key')).state;
    expect(draw(typedKey)).toMatch(/▸ new:key {2}\(as typed\)/);
    expect(play(typedKey, pressNamed('enter'), pressNamed('enter')).effects).toEqual([
      { type: 'push-event', key: 'new:key', payload: '{}' },
    ]);
    // Beside one that holds it.
    expect(
      play(
        opened,
        ...typed('order'),
        pressNamed('down'),
        pressNamed('down'),
        pressNamed('enter'),
        pressNamed('enter'),
      ).effects.at(-1),
    ).toMatchObject({ type: 'push-event', key: 'order' });
  });

  it('asks for the key that a pattern stands for, with the input of its workflow', () => {
    const asked = play(opened, ...typed('mail'), pressNamed('enter'));
    expect(asked.state.dialog).toMatchObject({ field: 'name', filter: { text: 'mail:' } });
    expect(draw(asked.state)).toContain('stands for many keys');
    const named = play(asked.state, ...typed('sent'));
    expect(form(play(named.state, known('mail', schema)).state).value.text).toBe('{"id":0}');
    expect(play(named.state, pressNamed('enter'), pressNamed('enter')).effects.at(-1)).toMatchObject({
      key: 'mail:sent',
    });
  });

  it('gives it a scope where one is typed', () => {
    const atPayload = play(opened, ...typed('paid'), pressNamed('enter')).state;
    expect(draw(atPayload)).toMatch(/payload +\{\}.*\n│ scope +│\n.*tab goes to the scope/);
    const atScope = play(atPayload, pressNamed('tab'), ...typed(' shopx'), pressNamed('backspace'));
    expect(draw(atScope.state)).toMatch(/scope +shop.*\n.*tab goes back/);
    expect(play(atScope.state, pressNamed('enter')).effects).toEqual([
      { type: 'push-event', key: 'order:paid', payload: '{}', scope: 'shop' },
    ]);
    // It is kept while the key is looked at again.
    const back = play(atScope.state, pressNamed('tab')).state;
    expect(form(back).field).toBe('name');
    expect(play(back, pressNamed('enter'), pressNamed('enter')).effects.at(-1)).toMatchObject({ scope: 'shop' });
    expect(play(atPayload, pressNamed('tab'), press(' '), pressNamed('enter')).effects).toEqual([
      { type: 'push-event', key: 'order:paid', payload: '{}', scope: undefined },
    ]);
  });

  it('has no scope for what is triggered', () => {
    const input = play(emptyState({ workflows }), press('t'), ...typed('mail'), pressNamed('enter')).state;
    expect(draw(input)).not.toContain('scope');
    expect(form(play(input, pressNamed('tab')).state).field).toBe('name');
  });

  it('shows the field that has the keys in a terminal of ten rows', () => {
    const small = play(
      { ...opened, rows: 10, columns: 40 },
      ...typed('paid'),
      pressNamed('enter'),
      press('u', { ctrl: true }),
      ...typed('[1]'),
      pressNamed('enter'),
      pressNamed('tab'),
      ...typed('shop'),
    ).state;
    expect(draw(small)).toMatch(/scope +shop/);
  });

  it('refuses a payload that is no object', () => {
    const refused = play(
      opened,
      ...typed('paid'),
      pressNamed('enter'),
      press('u', { ctrl: true }),
      ...typed('[1]'),
      pressNamed('enter'),
    );
    expect(refused.effects.filter(({ type }) => type === 'push-event')).toEqual([]);
    expect(draw(refused.state)).toContain('the payload is not a JSON object');
  });
});

describe('choicesOf', () => {
  it('holds what was typed, whatever that is', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 6 }), { maxLength: 8 }),
        fc.string({ maxLength: 4 }),
        (names, text) => {
          const wanted = text.trim().toLowerCase();
          for (const { name } of choicesOf({ kind: 'event', names, filter: fieldOf(text) }))
            expect(name.toLowerCase()).toContain(wanted);
          expect(choicesOf({ kind: 'trigger', names, filter: fieldOf('') })).toHaveLength(names.length);
        },
      ),
    );
  });
});
