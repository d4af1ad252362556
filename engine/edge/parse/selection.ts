import { markChecked, type Checked } from '../../model/checked.ts';
import { id } from './id.ts';
import { atMost } from './list.ts';
import { bound } from './time.ts';
import { text } from './text.ts';

/** Of one search: names, ids, pairs. */
const mostTerms = 1_000;

/** Names or keys that a search looks for. @throws HatchetError INVALID_ARGUMENT */
export function texts(values: readonly string[], what: string): Checked<string>[] {
  return atMost(values, what, mostTerms).map((value) => text(value, `one of ${what}`));
}

/** Ids that a search looks for. Left out, one that is none would widen the search. @throws HatchetError INVALID_ARGUMENT */
export function searchedIds(values: readonly string[], what: string): Checked<string>[] {
  return atMost(values, what, mostTerms).map((value) => id(value, `one of ${what}`));
}

/** A part of a text that is looked for; absent or empty is null. @throws HatchetError INVALID_ARGUMENT */
export function search(value: string | null | undefined): Checked<string> | null {
  return value === undefined || value === null || value === '' ? null : text(value, 'the search');
}

/** Metadata that runs must have, as the JSON object that theirs contains; none is null. @throws HatchetError INVALID_ARGUMENT */
export function metadataTerms(terms: Readonly<Record<string, string>>): Checked<string> | null {
  const entries = atMost(Object.entries(terms), 'the metadata terms', mostTerms);
  if (entries.length === 0) return null;
  return markChecked(JSON.stringify(Object.fromEntries(entries.map(([key, value]) => [text(key, 'the name of a metadata term'), text(value, `the metadata term`)]))));
}

/** As the contract's TasksFilter gives it. */
interface WireSelection {
  statuses: readonly string[];
  since?: Date | undefined;
  until?: Date | undefined;
  workflowIds: readonly string[];
  /** `key:value`. */
  additionalMetadata: readonly string[];
}

/** A selection of runs, to cancel or to replay them. @throws HatchetError INVALID_ARGUMENT */
export function selection(filter: WireSelection): WireSelection {
  return {
    statuses: texts(filter.statuses, 'the statuses'),
    since: filter.since === undefined ? undefined : new Date(bound(filter.since, 'since')),
    until: filter.until === undefined ? undefined : new Date(bound(filter.until, 'until')),
    workflowIds: searchedIds(filter.workflowIds, 'the workflow ids'),
    additionalMetadata: texts(filter.additionalMetadata, 'the metadata terms'),
  };
}
