import { markChecked, type Checked } from '../../model/checked.ts';
import { isRunStatus, runStatusNames, type RunStatus } from '../../model/task/status.ts';
import { id } from './id.ts';
import { invalid, quoted } from './invalid.ts';
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
  return markChecked(
    JSON.stringify(
      Object.fromEntries(
        entries.map(([key, value]) => [text(key, 'the name of a metadata term'), text(value, `the metadata term`)]),
      ),
    ),
  );
}

/** Statuses that a search looks for. @throws HatchetError INVALID_ARGUMENT for a name that is no status */
export function statuses(names: readonly string[]): RunStatus[] {
  return texts(names, 'the statuses').map((name) => {
    const found = Object.entries(runStatusNames).find(([, known]) => known === name.toUpperCase());
    const status = Number(found?.[0] ?? 0);
    if (!isRunStatus(status))
      throw invalid(`${quoted(name)} is not a status`, `Use ${Object.values(runStatusNames).join(', ')}.`);
    return status;
  });
}

/** `key:value` pairs that metadata must have, as the JSON object that it contains; none is null. @throws HatchetError INVALID_ARGUMENT */
export function metadataPairs(pairs: readonly string[]): Checked<string> | null {
  if (pairs.length === 0) return null;
  const entries = texts(pairs, 'the metadata terms').map((pair) => {
    const at = pair.indexOf(':');
    if (at < 1) throw invalid(`${quoted(pair)} is not of the form key:value`, 'Write it as key:value.');
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  return markChecked(JSON.stringify(Object.fromEntries(entries)));
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

interface Selection {
  statuses: RunStatus[];
  since: Date | undefined;
  until: Date | undefined;
  workflowIds: Checked<string>[];
  metadata: Checked<string> | null;
}

/** A selection of runs, to cancel or to replay them; read whole before any of them is. @throws HatchetError INVALID_ARGUMENT */
export function selection(filter: WireSelection): Selection {
  return {
    statuses: statuses(filter.statuses),
    since: filter.since === undefined ? undefined : new Date(bound(filter.since, 'since')),
    until: filter.until === undefined ? undefined : new Date(bound(filter.until, 'until')),
    workflowIds: searchedIds(filter.workflowIds, 'the workflow ids'),
    metadata: metadataPairs(filter.additionalMetadata),
  };
}
