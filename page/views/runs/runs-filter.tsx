import { memo, useEffect, useRef, useState, type ReactNode } from 'react';
import { runStatuses } from '../../../cli/status-name.ts';
import type { RunQuery } from '../../../cli/monitor/run-query.ts';
import { toggled, withWord } from '../../model/filter-edit.ts';
import { Status } from '../../parts/status.tsx';

/** What is typed is looked for once nothing was typed for so long. */
const typingMs = 250;

/** The filter as text, and the words of it that are used most as buttons. */
export const RunsFilter = memo(function RunsFilter({
  filter,
  query,
  workflows,
  onFilter,
}: {
  filter: string;
  query: RunQuery;
  /** Names. */
  workflows: readonly string[];
  onFilter: (filter: string) => void;
}): ReactNode {
  const [typed, setTyped] = useState(filter);
  const sent = useRef(filter);
  useEffect(() => {
    // A link, a chip or the browser's back button has changed it.
    if (filter === sent.current) return;
    sent.current = filter;
    setTyped(filter);
  }, [filter]);
  useEffect(() => {
    if (typed === sent.current) return undefined;
    const timer = setTimeout(() => {
      sent.current = typed;
      onFilter(typed);
    }, typingMs);
    return () => clearTimeout(timer);
  }, [typed, onFilter]);
  const workflow = query.workflows.length === 1 ? (query.workflows[0] ?? '') : '';
  return (
    <div className="filter stack">
      <div className="row wrap">
        <label className="search grow">
          <span className="hidden">Filter runs</span>
          <input
            type="search"
            data-filter
            className="mono"
            placeholder="status:failed workflow:email since:1h customer:42 …"
            aria-describedby="filter-note"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        </label>
        <label className="inline-field">
          <span className="hidden">Workflow</span>
          <select
            value={workflow}
            onChange={(event) =>
              onFilter(withWord(filter, 'workflow', event.target.value === '' ? undefined : event.target.value))
            }
          >
            <option value="">{query.workflows.length > 1 ? 'Several workflows' : 'Every workflow'}</option>
            {[...new Set([...workflows, ...query.workflows])].map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      <div className="row wrap chips" role="group" aria-label="Statuses">
        {runStatuses.map((status) => (
          <button
            key={status}
            type="button"
            className="chip"
            aria-pressed={query.statuses.includes(status)}
            onClick={() =>
              onFilter(
                toggled(
                  filter,
                  'status',
                  query.statuses.map((each) => each.toLowerCase()),
                  status.toLowerCase(),
                ),
              )
            }
          >
            <Status status={status} />
          </button>
        ))}
        {filter === '' ? null : (
          <button type="button" className="quiet" onClick={() => onFilter('')}>
            Clear
          </button>
        )}
      </div>
      <p id="filter-note" className={query.problem === undefined ? 'hidden' : 'bad-text small'} aria-live="polite">
        {query.problem ??
          'Words: status, workflow, since and until with a colon; any other key with a colon is metadata; the rest is searched for in ids and names.'}
      </p>
    </div>
  );
});
