import { useState, type ReactNode } from 'react';
import type { AuditLine } from '../../../proto/gen/rest/answers.ts';
import { useAnswer } from '../../hooks/use-answer.ts';
import { Empty, Failed, Skeleton } from '../../parts/blank.tsx';
import { PageHead } from '../../parts/page-head.tsx';
import { useRowCursor } from '../../parts/row-cursor.ts';
import { SearchField } from '../../parts/search-field.tsx';
import { Ago } from '../../parts/time.tsx';
import { usePermission } from '../../session/session.ts';
import { Icon } from '../../parts/icon.tsx';

const pageSize = 100;
const mostPages = 10;

/** Who changed what. */
export function AuditView(): ReactNode {
  const { allowed, reason } = usePermission('admin');
  const [pages, setPages] = useState(1);
  const [search, setSearch] = useState('');
  const { value, error, reload } = useAnswer(
    allowed ? 'audit' : undefined,
    async (calls, signal) => {
      const rows: AuditLine[] = [];
      let before: string | undefined;
      for (let page = 0; page < pages; page++) {
        const answer = await calls.rest('GET /api/v1/tenants/:tenant/audit', {
          query: { limit: pageSize, before },
          signal,
        });
        rows.push(...answer.rows);
        before = answer.next;
        if (before === undefined) break;
      }
      return { rows, hasMore: before !== undefined };
    },
    { version: pages },
  );
  const wanted = search.trim().toLowerCase();
  const rows = (value?.rows ?? []).filter(({ action, tokenName = '', ids, outcome, address }) =>
    `${action} ${tokenName} ${ids.join(' ')} ${outcome} ${address}`.toLowerCase().includes(wanted),
  );
  const cursor = useRowCursor(rows.map(({ id }) => id));
  if (!allowed)
    return (
      <div className="view">
        <PageHead title="Audit" />
        <Empty title="The audit log is for admins">
          <p>{reason}</p>
        </Empty>
      </div>
    );
  return (
    <div className="view">
      <PageHead title="Audit">
        <button type="button" onClick={reload}>
          Read again
        </button>
      </PageHead>
      <SearchField label="Search actions, tokens, ids, outcomes" value={search} onChange={setSearch} />
      {error !== undefined ? <Failed error={error} onRetry={reload} /> : null}
      {value === undefined ? (
        error === undefined ? (
          <Skeleton />
        ) : null
      ) : rows.length === 0 ? (
        <Empty title={value.rows.length === 0 ? 'Nothing was changed yet' : 'No line fits'} />
      ) : (
        <div className="scroll-box" tabIndex={0} role="group" aria-label="Audit log">
          <table className="list cards">
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Action</th>
                <th scope="col">Token</th>
                <th scope="col">About</th>
                <th scope="col">From</th>
                <th scope="col">Outcome</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((line) => (
                <tr
                  key={line.id}
                  id={`row-${line.id}`}
                  className={cursor.current === line.id ? 'current' : undefined}
                  onClick={() => cursor.choose(line.id)}
                >
                  <td>
                    <Ago at={line.at} />
                  </td>
                  <td className="mono break">{line.action}</td>
                  <td data-label="Token">{line.tokenName ?? line.tokenId ?? <span className="muted">–</span>}</td>
                  <td data-label="About" className="mono small" title={line.ids.join('\n')}>
                    {line.ids.length === 0 ? '' : `…${line.ids[0]?.slice(-8) ?? ''}`}
                    {line.ids.length > 1 ? ` and ${line.ids.length - 1} more` : ''}
                  </td>
                  <td data-label="From" className="mono small">
                    {line.address}
                  </td>
                  <td data-label="Outcome">
                    {line.outcome === 'OK' ? (
                      <span className="state ok">
                        <Icon name="completed" /> OK
                      </span>
                    ) : (
                      <span className="state bad">
                        <Icon name="failed" /> {line.outcome}
                      </span>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {value?.hasMore === true && pages < mostPages ? (
        <button type="button" onClick={() => setPages(pages + 1)}>
          Older lines
        </button>
      ) : null}
    </div>
  );
}
