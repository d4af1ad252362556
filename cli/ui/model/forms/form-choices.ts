import type { Form } from '../ui-state.ts';

export interface Choice {
  name: string;
  /** Typed, and none of the names that are known. */
  isNew: boolean;
}

type Named = Pick<Form, 'kind' | 'names' | 'filter'>;

/** The names that hold what was typed, those that begin with it first; then, for an event, the key as it was typed. */
export function choicesOf({ kind, names, filter }: Named): readonly Choice[] {
  const typed = filter.text.trim();
  const wanted = typed.toLowerCase();
  const fitting = names.filter((name) => name.toLowerCase().includes(wanted));
  const begins = fitting.filter((name) => name.toLowerCase().startsWith(wanted));
  const choices = [...begins, ...fitting.filter((name) => !begins.includes(name))].map((name): Choice => ({
    name,
    isNew: false,
  }));
  return kind === 'trigger' || typed === '' || names.includes(typed)
    ? choices
    : [...choices, { name: typed, isNew: true }];
}

export function chosenName(form: Named & Pick<Form, 'at'>): string | undefined {
  return choicesOf(form)[form.at]?.name;
}
