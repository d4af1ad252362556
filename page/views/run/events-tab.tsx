import type { ReactNode } from 'react';
import type { EventRow } from '../../../cli/monitor/run-reader.ts';
import { plainText } from '../../../cli/output/plain-text.ts';
import { clockText, exactText } from '../../model/time-words.ts';
import { Empty, Skeleton } from '../../parts/blank.tsx';

/** More rows than this make the page slow, and nobody reads them. */
const shownEvents = 2_000;

/** Every transition of the run, newest last. */
export function EventsTab({ events, isOver }: { events: readonly EventRow[]; isOver: boolean }): ReactNode {
  if (events.length === 0) return isOver ? <Empty title="No events" /> : <Skeleton lines={4} />;
  const shown = events.slice(-shownEvents);
  return (
    <div className="stack">
      {shown.length < events.length ? (
        <p className="muted">
          The newest {shownEvents.toLocaleString('en')} of {events.length.toLocaleString('en')} events.
        </p>
      ) : null}
      <div className="scroll-box" tabIndex={0} role="group" aria-label="Events of the run">
        <table className="list">
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Event</th>
              <th scope="col">Task</th>
              <th scope="col" className="figure">
                Attempt
              </th>
              <th scope="col">Message</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((event) => (
              <tr key={event.cursor}>
                <td>
                  <time className="mono" dateTime={event.time ?? undefined} title={exactText(event.time)}>
                    {clockText(event.time)}
                  </time>
                </td>
                <td className="mono">{event.type}</td>
                <td>{event.task === '' ? <span className="muted">run</span> : event.task}</td>
                <td className="figure">{event.task === '' ? '' : event.attempt + 1}</td>
                <td className="long">
                  {plainText(event.message)}
                  {event.mismatch === undefined
                    ? null
                    : ` (node ${event.mismatch.node}: the log holds ${event.mismatch.recorded}, the code asks for ${event.mismatch.asked})`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
