import { useMemo, type ReactNode } from 'react';
import { msText } from '../../../cli/output/time-text.ts';
import type { EventRow, RunDetail } from '../../../cli/monitor/run-reader.ts';
import { isTerminal } from '../../../cli/status-name.ts';
import { timeline, type TimelineRow } from '../../model/timeline.ts';
import { clockText } from '../../model/time-words.ts';
import { useNow } from '../../parts/now.ts';
import { Status } from '../../parts/status.tsx';

export function TimelineTab({ detail, events }: { detail: RunDetail; events: readonly EventRow[] }): ReactNode {
  return isTerminal(detail.run.status) ? (
    <Waterfall detail={detail} events={events} nowMs={Date.parse(detail.run.finishedAt ?? '') || 0} />
  ) : (
    <MovingWaterfall detail={detail} events={events} />
  );
}

function MovingWaterfall({ detail, events }: { detail: RunDetail; events: readonly EventRow[] }): ReactNode {
  return <Waterfall detail={detail} events={events} nowMs={useNow()} />;
}

function Waterfall({
  detail,
  events,
  nowMs,
}: {
  detail: RunDetail;
  events: readonly EventRow[];
  nowMs: number;
}): ReactNode {
  const { rows, beginMs, endMs } = useMemo(() => timeline(detail.tasks, events, nowMs), [detail.tasks, events, nowMs]);
  return (
    <div className="stack">
      <p className="row small muted legend">
        <span className="key waiting" aria-hidden="true" /> waiting
        <span className="key running" aria-hidden="true" /> running
        <span>
          from {clockText(new Date(beginMs).toISOString())}, {msText(endMs - beginMs)} in all
        </span>
      </p>
      <div className="waterfall scroll-box" tabIndex={0} role="group" aria-label="Attempts over time">
        <table>
          <thead>
            <tr>
              <th scope="col">Task</th>
              <th scope="col">Attempt</th>
              <th scope="col">Status</th>
              <th scope="col" className="wide">
                Time
              </th>
              <th scope="col" className="figure">
                Waited
              </th>
              <th scope="col" className="figure">
                Ran
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Bar key={row.key} row={row} />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function Bar({ row }: { row: TimelineRow }): ReactNode {
  const { task, attempt, status, end, waiting, running } = row;
  return (
    <tr>
      <th scope="row">{task}</th>
      <td>{attempt === 0 ? '–' : attempt}</td>
      <td>
        <Status status={status} />
        {end === '' || end === 'FINISHED' || end === 'FAILED' || end === 'CANCELLED' ? null : (
          <span className="muted small"> {end.toLowerCase().replaceAll('_', ' ')}</span>
        )}
      </td>
      <td className="wide">
        <span className="track">
          <span className="bar waiting" style={{ left: `${waiting.from}%`, width: `${waiting.length}%` }} />
          {running === undefined ? null : (
            <span
              className={`bar running ${status.toLowerCase()}`}
              style={{ left: `${running.from}%`, width: `${running.length}%` }}
            />
          )}
        </span>
      </td>
      <td className="figure">{msText(waiting.ms)}</td>
      <td className="figure">{running === undefined ? '–' : msText(running.ms)}</td>
    </tr>
  );
}
