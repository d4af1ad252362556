import { useState, type ReactNode } from 'react';
import { msText } from '../../../cli/output/time-text.ts';
import { plainText } from '../../../cli/output/plain-text.ts';
import { useAnswer } from '../../hooks/use-answer.ts';
import { spanTree, type SpanRow } from '../../model/span-tree.ts';
import { clockText } from '../../model/time-words.ts';
import { Empty, Failed, Skeleton } from '../../parts/blank.tsx';
import { Status } from '../../parts/status.tsx';

/** More of a trace is for a tool of its own. */
const shownSpans = 1_000;

/** The spans of the run's trace, as programs with OpenTelemetry have sent them. */
export function TraceTab({ runId, version }: { runId: string; version: number }): ReactNode {
  const { value, error, reload } = useAnswer(
    `trace of ${runId}`,
    (calls, signal) =>
      calls.rest('GET /api/v1/stable/tenants/:tenant/traces', {
        query: { run_external_id: runId, limit: shownSpans },
        signal,
      }),
    { version },
  );
  if (value === undefined)
    return error === undefined ? <Skeleton lines={6} /> : <Failed error={error} onRetry={reload} />;
  if (value.rows.length === 0)
    return (
      <Empty title="No spans">
        <p>
          Programs with OpenTelemetry send them: give the client <code>tracing: openTelemetry()</code>, and the provider
          an exporter that points at the engine.
        </p>
      </Empty>
    );
  return <Spans tree={spanTree(value.rows)} isAll={value.rows.length < shownSpans} />;
}

function Spans({ tree, isAll }: { tree: ReturnType<typeof spanTree>; isAll: boolean }): ReactNode {
  const [open, setOpen] = useState<string>();
  return (
    <div className="stack">
      <p className="small muted">
        {isAll ? '' : 'The first '}
        {tree.rows.length.toLocaleString('en')} spans, from {clockText(new Date(tree.beginMs).toISOString())},{' '}
        {msText(tree.ms)} in all
      </p>
      <div className="waterfall scroll-box" tabIndex={0} role="group" aria-label="Spans of the trace">
        <table>
          <thead>
            <tr>
              <th scope="col">Span</th>
              <th scope="col">Program</th>
              <th scope="col" className="wide">
                Time
              </th>
              <th scope="col" className="figure">
                Took
              </th>
            </tr>
          </thead>
          <tbody>
            {tree.rows.map((row) => (
              <SpanLines
                key={row.key}
                row={row}
                isOpen={open === row.key}
                onToggle={() => setOpen(open === row.key ? undefined : row.key)}
              />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function SpanLines({ row, isOpen, onToggle }: { row: SpanRow; isOpen: boolean; onToggle: () => void }): ReactNode {
  const { name, depth, service, failed, message, from, length, ms, attributes } = row;
  return (
    <>
      <tr>
        <th scope="row" style={{ paddingInlineStart: `${0.5 + Math.min(depth, 12)}rem` }}>
          <button type="button" className="fold" aria-expanded={isOpen} onClick={onToggle}>
            {plainText(name)}
          </button>
          {failed ? <Status status="FAILED" /> : null}
        </th>
        <td>{plainText(service)}</td>
        <td className="wide">
          <span className="track">
            <span
              className={`bar running ${failed ? 'failed' : 'completed'}`}
              style={{ left: `${from}%`, width: `${length}%` }}
            />
          </span>
        </td>
        <td className="figure">{msText(ms)}</td>
      </tr>
      {isOpen ? (
        <tr>
          <td colSpan={4} className="long">
            {message === '' ? null : <p>{plainText(message)}</p>}
            <dl className="facts">
              {Object.entries(attributes).map(([key, value]) => (
                <div key={key}>
                  <dt className="mono">{plainText(key)}</dt>
                  <dd className="mono">{plainText(value)}</dd>
                </div>
              ))}
            </dl>
          </td>
        </tr>
      ) : null}
    </>
  );
}
