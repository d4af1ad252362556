import type { DesiredLabel } from '../definition.ts';

export type LabelValue = string | number;

/** Does a worker's label meet what is desired? An absent label meets nothing, not even NOT_EQUAL. Order is for numbers alone. */
export function meetsLabel(actual: LabelValue | undefined, desired: DesiredLabel): boolean {
  if (actual === undefined) return false;
  const { comparator, value } = desired;
  if (comparator === 'EQUAL') return actual === value;
  if (comparator === 'NOT_EQUAL') return actual !== value;
  if (typeof actual !== 'number' || typeof value !== 'number') return false;
  switch (comparator) {
    case 'GREATER_THAN':
      return actual > value;
    case 'GREATER_THAN_OR_EQUAL':
      return actual >= value;
    case 'LESS_THAN':
      return actual < value;
    case 'LESS_THAN_OR_EQUAL':
      return actual <= value;
  }
}

/** Names that begin so are the engine's own. */
const reserved = 'hatchet__';

/** The label by which whoever starts a worker's process knows its workers again. */
export const processLabel = `${reserved}process`;

/** A worker's labels without those that tell people nothing. */
export function shownLabels<T>(labels: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !name.startsWith(reserved)));
}
