import { useState, type ReactNode } from 'react';
import type { Event } from '../../../proto/gen/rest/answers.ts';
import { filterWord, runHref, runsHref } from '../../address/address.ts';
import { Link } from '../../address/link.tsx';
import { useAnswer } from '../../hooks/use-answer.ts';
import { ActionButton } from '../../parts/action-button.tsx';
import { Empty, Failed, Skeleton } from '../../parts/blank.tsx';
import { CopyButton } from '../../parts/copy-button.tsx';
import { JsonView } from '../../parts/json-view.tsx';
import { PageHead } from '../../parts/page-head.tsx';
import { useRowCursor } from '../../parts/row-cursor.ts';
import { Ago } from '../../parts/time.tsx';
import { useCalls } from '../../session/session.ts';
import { PushEventForm } from './push-event-form.tsx';
import { FoldIcon } from '../../parts/icon.tsx';

const everyMs = 3_000;
const pageSize = 50;
/** Runs of one event that are named; all are in the list of runs. */
const shownRuns = 5;

export function EventsView(): ReactNode {
  const [key, setKey] = useState('');
  const [pages, setPages] = useState(1);
  const [open, setOpen] = useState<string>();
  const [pushes, setPushes] = useState(false);
  const keys = useAnswer('event keys', (calls, signal) =>
    calls.rest('GET /api/v1/stable/tenants/:tenant/events/keys', { signal }),
  );
  const { value, error, reload } = useAnswer(
    `events ${key}`,
    (calls, signal) =>
      calls.rest('GET /api/v1/stable/tenants/:tenant/events', {
        query: { limit: pageSize * pages, keys: key === '' ? undefined : [key] },
        signal,
      }),
    { everyMs, version: pages },
  );
  const rows = value?.rows ?? [];
  const cursor = useRowCursor(
    rows.map(({ metadata }) => metadata.id),
    { Enter: (id) => setOpen(open === id ? undefined : id) },
  );
  const hasMore = value !== undefined && value.pagination.next_page > value.pagination.current_page;
  return (
    <div className="view">
      <PageHead title="Events">
        <label className="inline-field">
          <span className="hidden">Event key</span>
          <select value={key} onChange={(event) => setKey(event.target.value)} data-filter>
            <option value="">Every key</option>
            {(keys.value?.rows ?? []).map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        </label>
        <button type="button" className="primary" aria-expanded={pushes} onClick={() => setPushes(!pushes)}>
          Push an event
        </button>
      </PageHead>
      {pushes ? (
        <PushEventForm
          keys={keys.value?.rows ?? []}
          onPushed={() => {
            reload();
            keys.reload();
          }}
        />
      ) : null}
      {error !== undefined && value === undefined ? <Failed error={error} onRetry={reload} /> : null}
      {value === undefined ? (
        error === undefined ? (
          <Skeleton />
        ) : null
      ) : rows.length === 0 ? (
        <Empty title={key === '' ? 'No events yet' : `No event with the key ${key}`}>
          <p>
            Push one here, with <code>hatchet events push</code>, or with <code>hatchet.events.push(…)</code> of the
            SDK.
          </p>
        </Empty>
      ) : (
        <>
          <ul className="plain stack-small" aria-label="Events">
            {rows.map((event) => (
              <EventItem
                key={event.metadata.id}
                event={event}
                isOpen={open === event.metadata.id}
                isCurrent={cursor.current === event.metadata.id}
                onToggle={() => setOpen(open === event.metadata.id ? undefined : event.metadata.id)}
                onPushed={reload}
              />
            ))}
          </ul>
          {hasMore ? (
            <button type="button" onClick={() => setPages(pages + 1)}>
              Older events
            </button>
          ) : null}
        </>
      )}
    </div>
  );
}

function EventItem({
  event,
  isOpen,
  isCurrent,
  onToggle,
  onPushed,
}: {
  event: Event;
  isOpen: boolean;
  isCurrent: boolean;
  onToggle: () => void;
  onPushed: () => void;
}): ReactNode {
  const { id } = event.metadata;
  const { queued, running, succeeded, failed, cancelled } = event.workflowRunSummary;
  const counts: readonly (readonly [number, string])[] = [
    [succeeded, 'completed'],
    [running, 'running'],
    [queued, 'queued'],
    [failed, 'failed'],
    [cancelled, 'cancelled'],
  ];
  const runs = queued + running + succeeded + failed + cancelled;
  return (
    <li id={`row-${id}`} className={`card event${isCurrent ? ' current' : ''}`}>
      <div className="row wrap spread">
        <button type="button" className="fold" aria-expanded={isOpen} onClick={onToggle}>
          <FoldIcon isOpen={isOpen} /> <strong className="mono">{event.key}</strong>
          {event.scope === undefined || event.scope === '' ? null : <span className="muted"> scope {event.scope}</span>}
        </button>
        <span className="row muted">
          {event.triggeringWebhookName === undefined ? null : <span>by webhook {event.triggeringWebhookName}</span>}
          <span>
            {runs === 0
              ? 'started no run'
              : counts.flatMap(([count, name]) => (count === 0 ? [] : [`${count} ${name}`])).join(', ')}
          </span>
          <Ago at={event.seenAt} />
        </span>
      </div>
      {isOpen ? (
        <div className="stack">
          <p className="small">
            <span className="mono">{id}</span> <CopyButton text={id} what="the event’s id" />
          </p>
          {event.triggeredRuns.length === 0 ? null : (
            <p className="row wrap">
              Runs:
              {event.triggeredRuns.slice(0, shownRuns).map(({ workflowRunId }) => (
                <Link key={workflowRunId} href={runHref(workflowRunId)} className="mono">
                  …{workflowRunId.slice(-8)}
                </Link>
              ))}
              <Link href={runsHref(filterWord('hatchet__event_id', id))}>all in the list</Link>
            </p>
          )}
          {event.leftOut?.['payload'] === undefined ? (
            <JsonView value={event.payload} name="the payload" />
          ) : (
            <p className="muted">
              {event.leftOut['payload'].toLocaleString('en')} bytes of payload are too many to show.
            </p>
          )}
          <PushAgain event={event} onPushed={onPushed} />
        </div>
      ) : null}
    </li>
  );
}

/** REST has no replay of events: the same is pushed once more, as a new event. */
function PushAgain({ event, onPushed }: { event: Event; onPushed: () => void }): ReactNode {
  const calls = useCalls();
  return (
    <div>
      <ActionButton
        needs="trigger"
        disabled={event.leftOut !== undefined}
        question={{
          title: `Push ${event.key} again?`,
          text: 'It becomes a new event with the same payload, and starts runs as this one did.',
          action: 'Push again',
        }}
        onAction={async () => {
          await calls.rest('POST /api/v1/tenants/:tenant/events', {
            body: {
              key: event.key,
              data: event.payload,
              additionalMetadata: event.additionalMetadata ?? undefined,
              scope: event.scope,
            },
          });
          onPushed();
          return 'Pushed.';
        }}
      >
        Push again
      </ActionButton>
    </div>
  );
}
