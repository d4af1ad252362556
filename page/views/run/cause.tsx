import type { ReactNode } from 'react';
import type { CauseRow } from '../../../cli/monitor/run-reader.ts';
import { runHref } from '../../address/address.ts';
import { Link } from '../../address/link.tsx';
import { Countdown } from '../../parts/time.tsx';

const remedies: Readonly<Record<string, string>> = {
  PARENTS: 'It starts once the tasks before it are done.',
  CONDITION: 'It goes on once what it waits for has come.',
  ON_FAILURE: 'It starts only should another task fail.',
  BACKOFF: 'It is tried again by itself.',
  CONCURRENCY: 'It starts once a place is free on its key.',
  RATE_LIMIT: 'It starts once its rate limit has units again.',
  BATCH: 'It starts once its batch is full, or its time is over.',
  BATCH_LIMIT: 'It starts once another batch of its group is over.',
  WORKFLOW_PAUSED: 'Resume the workflow to let it start.',
  NO_WORKER: 'Start a worker that serves its action.',
  NO_WORKER_CONNECTED: 'Start the worker again, or look why it cannot reach the engine.',
  LABELS: 'Start a worker with the labels that it asks for.',
  STICKY: 'It waits for the worker that its run is bound to.',
  SLOTS: 'It starts once a worker has a slot free; more workers help.',
  SLOTS_NEVER: 'No worker has so many slots: start one with more.',
  EVICTED: 'It goes on once what it waits for has come.',
  CANCELLING: 'It ends once its worker has stopped it.',
};

/** Why a task does not run, and what would end that. */
export function Cause({ cause }: { cause: CauseRow }): ReactNode {
  return (
    <div className="cause">
      <p>
        <strong>{cause.text}</strong>
        {cause.until === null ? null : (
          <>
            {' '}
            (<Countdown at={cause.until} />)
          </>
        )}
      </p>
      {remedies[cause.code] === undefined ? null : <p className="muted">{remedies[cause.code]}</p>}
      {cause.ids.length === 0 ? null : (
        <p className="small">
          It names:{' '}
          {cause.ids.map((id) => (
            <Link key={id} href={runHref(id)} className="mono">
              {id}{' '}
            </Link>
          ))}
        </p>
      )}
    </div>
  );
}
