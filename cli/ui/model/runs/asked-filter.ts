import { parseRunQuery, queryFilter, type RunQuery } from '../../../monitor/run-query.ts';
import type { RunFilter } from '../../../monitor/run-reader.ts';
import type { UiState } from '../ui-state.ts';

type Asked = Pick<UiState, 'filter' | 'searches'>;

/** Undefined where all runs are shown. */
export function askedKey({ filter, searches }: Asked): string | undefined {
  const text = searches.runs.text.trim();
  return filter === 'ALL' && text === '' ? undefined : `${filter} ${text}`;
}

/** The filter that `f` chose holds beside what was typed. */
export function askedQuery({ filter, searches }: Asked): RunQuery {
  const query = parseRunQuery(searches.runs.text);
  return filter === 'ALL'
    ? query
    : {
        ...query,
        statuses: query.statuses.length === 0 ? [filter] : query.statuses.filter((status) => status === filter),
      };
}

/** Over all runs; undefined where none can fit: a status was typed, and another was chosen. */
export function askedFilter(state: Asked): RunFilter | undefined {
  const query = askedQuery(state);
  return query.statuses.length === 0 && state.filter !== 'ALL' ? undefined : queryFilter(query);
}
