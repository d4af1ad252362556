import { useState, type ReactNode } from 'react';
import { workflowHref } from '../../address/address.ts';
import { Link } from '../../address/link.tsx';
import { navigate } from '../../address/navigation.ts';
import { useWorkflows } from '../../hooks/use-workflows.ts';
import { Empty, Failed, Skeleton } from '../../parts/blank.tsx';
import { PageHead } from '../../parts/page-head.tsx';
import { useRowCursor } from '../../parts/row-cursor.ts';
import { SearchField } from '../../parts/search-field.tsx';
import { Ago } from '../../parts/time.tsx';
import { PausedMark } from './pause-button.tsx';

export function WorkflowsView(): ReactNode {
  const { value, error, reload } = useWorkflows();
  const [search, setSearch] = useState('');
  const wanted = search.trim().toLowerCase();
  const rows = (value ?? []).filter(
    ({ name, description }) => name.toLowerCase().includes(wanted) || description.toLowerCase().includes(wanted),
  );
  const cursor = useRowCursor(
    rows.map(({ name }) => name),
    { Enter: (name) => navigate(workflowHref(name)) },
  );
  return (
    <div className="view">
      <PageHead title="Workflows" />
      <SearchField label="Search workflows" value={search} onChange={setSearch} />
      {error !== undefined ? <Failed error={error} onRetry={reload} /> : null}
      {value === undefined ? (
        error === undefined ? (
          <Skeleton />
        ) : null
      ) : rows.length === 0 ? (
        value.length === 0 ? (
          <Empty title="No workflows yet">
            <p>
              A worker registers its workflows when it starts: run <code>hatchet dev</code> in your project.
            </p>
          </Empty>
        ) : (
          <Empty title={`No workflow has “${search.trim()}” in its name`} />
        )
      ) : (
        <div className="scroll-box" tabIndex={0} role="group" aria-label="Workflows">
          <table className="list cards">
            <thead>
              <tr>
                <th scope="col">Workflow</th>
                <th scope="col">State</th>
                <th scope="col" className="figure">
                  Tasks
                </th>
                <th scope="col">Started by events</th>
                <th scope="col">Version since</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr
                  key={row.workflowId}
                  id={`row-${row.name}`}
                  className={cursor.current === row.name ? 'current' : undefined}
                  onClick={() => cursor.choose(row.name)}
                >
                  <td>
                    <Link href={workflowHref(row.name)}>{row.name}</Link>
                    {row.description === '' ? null : <div className="muted small">{row.description}</div>}
                  </td>
                  <td data-label="State">
                    <PausedMark paused={row.paused} />
                  </td>
                  <td data-label="Tasks" className="figure">
                    {row.taskCount}
                  </td>
                  <td data-label="Events" className="mono small">
                    {row.eventKeys.join(', ')}
                  </td>
                  <td data-label="Version since">
                    <Ago at={row.createdAt} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
