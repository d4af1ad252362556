import { plainText } from '../../../output/plain-text.ts';
import { wrapWords } from '../../../output/wrap-text.ts';
import { choicesOf, chosenName } from '../forms/form-choices.ts';
import { windowStart } from '../frame.ts';
import type { Form } from '../ui-state.ts';
import { cutLine, fieldSpans, type SpanLine } from './spans.ts';

const labelWidth = 10;
/** Rows of what can be chosen, where there is room. */
const mostChoices = 8;

/** A form: what is chosen, with what there is to choose from while that has the keys, and the value that goes with it. */
export function formLines(form: Form, { width, height }: { width: number; height: number }): readonly SpanLine[] {
  const isChoosing = form.field === 'name';
  const label = (text: string) => ({ text: text.padEnd(labelWidth), style: 'dim' as const });
  const name = form.kind === 'trigger' ? 'workflow' : 'key';
  const chosen = chosenName(form);
  const first: SpanLine = [label(name), ...(isChoosing ? fieldSpans(form.filter, width - labelWidth) : [{ text: plainText(chosen ?? ''), style: 'bold' as const }])];
  const value: SpanLine = [label(form.kind === 'trigger' ? 'input' : 'payload'), ...(isChoosing ? [{ text: plainText(form.value.text) }] : fieldSpans(form.value, width - labelWidth))];
  const error = form.error === '' ? [] : wrapWords(plainText(form.error), width).slice(0, 2).map((text): SpanLine => [{ text, style: 'wrong' }]);
  const hint: SpanLine = [{ text: hintOf(form), style: 'dim' }];
  const room = height - 2 - error.length;
  const hasHint = room >= 2;
  const choices = isChoosing ? choiceLines(form, Math.min(mostChoices, room - (hasHint ? 1 : 0))) : [];
  return [first, ...choices, value, ...error, ...(hasHint ? [hint] : [])].slice(0, height).map((line) => cutLine(line, width));
}

function hintOf(form: Form): string {
  if (form.field === 'name') return `type to find, ↑ ↓ choose, enter goes on to the ${form.kind === 'trigger' ? 'input' : 'payload'}, esc closes`;
  return `enter ${form.kind === 'trigger' ? 'triggers' : 'pushes'}, tab goes back, esc closes, Ctrl+U clears`;
}

function choiceLines(form: Form, rows: number): readonly SpanLine[] {
  if (rows <= 0) return [];
  const choices = choicesOf(form);
  if (choices.length === 0) return [[{ text: form.kind === 'trigger' ? '  none fits' : '  no workflow listens to any: type a key', style: 'dim' }]];
  const height = choices.length > rows && rows > 2 ? rows - 1 : rows;
  const start = windowStart(form.at, choices.length, height);
  const shown = choices.slice(start, start + height).map(({ name, isNew }, index): SpanLine => {
    const isChosen = start + index === form.at;
    return [{ text: `${isChosen ? '▸' : ' '} ${plainText(name)}${isNew ? '  (as typed)' : ''}`, ...(isChosen ? { style: 'bold' as const } : {}) }];
  });
  return shown.length < choices.length && rows > 2 ? [...shown, [{ text: `  ${form.at + 1} of ${choices.length}`, style: 'dim' }]] : shown;
}
