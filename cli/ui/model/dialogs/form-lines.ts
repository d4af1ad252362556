import { plainText } from '../../../output/plain-text.ts';
import { wrapWords } from '../../../output/wrap-text.ts';
import { choicesOf, chosenName } from '../forms/form-choices.ts';
import { windowStart } from '../frame.ts';
import type { Form } from '../ui-state.ts';
import { cutLine, fieldSpans, type SpanLine } from './spans.ts';

const labelWidth = 10;
/** Rows of what can be chosen, where there is room. */
const mostChoices = 8;

/** A form: what is chosen, with what there is to choose from while that has the keys, and the values that go with it. */
export function formLines(form: Form, { width, height }: { width: number; height: number }): readonly SpanLine[] {
  const isChoosing = form.field === 'name';
  const label = (text: string) => ({ text: text.padEnd(labelWidth), style: 'dim' as const });
  const name = form.kind === 'trigger' ? 'workflow' : 'key';
  const chosen = chosenName(form);
  const first: SpanLine = [
    label(name),
    ...(isChoosing
      ? fieldSpans(form.filter, width - labelWidth)
      : [{ text: plainText(chosen ?? ''), style: 'bold' as const }]),
  ];
  const field = (named: 'value' | 'scope', text: string): SpanLine => [
    label(text),
    ...(form.field === named ? fieldSpans(form[named], width - labelWidth) : [{ text: plainText(form[named].text) }]),
  ];
  const error =
    form.error === ''
      ? []
      : wrapWords(plainText(form.error), width)
          .slice(0, 2)
          .map((text): SpanLine => [{ text, style: 'wrong' }]);
  const fields =
    form.kind === 'trigger' ? [field('value', 'input')] : [field('value', 'payload'), field('scope', 'scope')];
  // Where there is no room for both, the one that has the keys.
  const shown =
    height - 1 - error.length < fields.length ? fields.slice(form.field === 'scope' ? -1 : 0).slice(0, 1) : fields;
  const hint: SpanLine = [{ text: hintOf(form), style: 'dim' }];
  const room = height - 1 - shown.length - error.length;
  const hasHint = room >= (isChoosing ? 2 : 1);
  const choices = isChoosing ? choiceLines(form, Math.min(mostChoices, room - (hasHint ? 1 : 0))) : [];
  return [first, ...choices, ...shown, ...error, ...(hasHint ? [hint] : [])]
    .slice(0, height)
    .map((line) => cutLine(line, width));
}

function hintOf({ kind, field }: Form): string {
  if (field === 'name')
    return `type to find, ↑ ↓ choose, enter goes on to the ${kind === 'trigger' ? 'input' : 'payload'}, esc closes`;
  if (kind === 'trigger') return 'enter triggers, tab goes back, esc closes, Ctrl+U clears';
  return field === 'value'
    ? 'enter pushes, tab goes to the scope, esc closes, Ctrl+U clears'
    : 'enter pushes, without a scope where none is typed, tab goes back, esc closes';
}

function choiceLines(form: Form, rows: number): readonly SpanLine[] {
  if (rows <= 0) return [];
  const choices = choicesOf(form);
  if (choices.length === 0)
    return [
      [{ text: form.kind === 'trigger' ? '  none fits' : '  no workflow listens to any: type a key', style: 'dim' }],
    ];
  const height = choices.length > rows && rows > 2 ? rows - 1 : rows;
  const start = windowStart(form.at, choices.length, height);
  const shown = choices.slice(start, start + height).map(({ name, isNew }, index): SpanLine => {
    const isChosen = start + index === form.at;
    return [
      {
        text: `${isChosen ? '▸' : ' '} ${plainText(name)}${isNew ? '  (as typed)' : ''}`,
        ...(isChosen ? { style: 'bold' as const } : {}),
      },
    ];
  });
  return shown.length < choices.length && rows > 2
    ? [...shown, [{ text: `  ${form.at + 1} of ${choices.length}`, style: 'dim' }]]
    : shown;
}
