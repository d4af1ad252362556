import { filterWord } from '../address/address.ts';

/** Words of the filter language, with the quotes that keep spaces. */
const words = /(?:[^\s:"]+:)?(?:"[^"]*"?|\S+)/g;

/** A filter with `key:value` in it once, in place of other values of that key; or without the key. */
export function withWord(filter: string, key: string, value: string | undefined): string {
  const others = (filter.match(words) ?? []).filter((word) => !word.startsWith(`${key}:`));
  return [...others, ...(value === undefined ? [] : [filterWord(key, value)])].join(' ');
}

/** Puts one of several values of a key in, or takes it out: `status:failed,running`. */
export function toggled(filter: string, key: string, values: readonly string[], value: string): string {
  const next = values.includes(value) ? values.filter((each) => each !== value) : [...values, value];
  return withWord(filter, key, next.length === 0 ? undefined : next.join(','));
}
