import { useState, type ReactNode } from 'react';
import type { TaskRow } from '../../../cli/monitor/run-reader.ts';
import { workerStatusText, type WorkerStatusName } from '../../../cli/status-name.ts';
import { runHref } from '../../address/address.ts';
import { Link } from '../../address/link.tsx';
import { list } from '../../data/fields.ts';
import { workerRow, type WorkerDetail } from '../../data/figure-messages.ts';
import { listFiltered, getRun } from '../../data/run-calls.ts';
import { useAnswer } from '../../hooks/use-answer.ts';
import { ActionButton } from '../../parts/action-button.tsx';
import { Empty, Failed, Skeleton } from '../../parts/blank.tsx';
import { CopyButton } from '../../parts/copy-button.tsx';
import { Meter } from '../../parts/meter.tsx';
import { PageHead } from '../../parts/page-head.tsx';
import { useRowCursor } from '../../parts/row-cursor.ts';
import { Ago } from '../../parts/time.tsx';
import { useCalls } from '../../session/session.ts';
import { useFigures } from '../../hooks/figures.tsx';
import { Icon, type IconName } from '../../parts/icon.tsx';

/** Slots and heartbeats change without a revision. */
const everyMs = 2_000;
/** Runs that are looked into to see what runs where. */
const runsLookedAt = 50;

export function WorkersView(): ReactNode {
  const { overview } = useFigures();
  const [all, setAll] = useState(false);
  const { value, error, reload } = useAnswer(
    `workers ${all}`,
    async (calls, signal) => list(await calls.monitor('ListWorkers', { all }, signal), 'rows', workerRow),
    { everyMs, version: overview?.workersRevision },
  );
  const cursor = useRowCursor((value ?? []).map(({ workerId }) => workerId));
  return (
    <div className="view">
      <PageHead title="Workers">
        <label className="check">
          <input type="checkbox" checked={all} onChange={(event) => setAll(event.target.checked)} />
          <span>Also those that are gone</span>
        </label>
      </PageHead>
      {error !== undefined && value === undefined ? <Failed error={error} onRetry={reload} /> : null}
      {value === undefined ? (
        error === undefined ? (
          <Skeleton />
        ) : null
      ) : value.length === 0 ? (
        <Empty title="No worker is connected">
          <p>
            Start one: <code>hatchet dev</code> in your project, or your own program with{' '}
            <code>hatchet.worker(…).start()</code>.
          </p>
        </Empty>
      ) : (
        <ul className="worker-grid plain">
          {value.map((worker) => (
            <WorkerCard
              key={worker.workerId}
              worker={worker}
              isCurrent={cursor.current === worker.workerId}
              onChoose={() => cursor.choose(worker.workerId)}
              onChanged={reload}
            />
          ))}
        </ul>
      )}
    </div>
  );
}

const marks: Readonly<Record<WorkerStatusName, IconName>> = {
  ACTIVE: 'play',
  INACTIVE: 'queued',
  PAUSED: 'pause',
  NOT_ANSWERING: 'alert',
};
const classes: Readonly<Record<WorkerStatusName, string>> = {
  ACTIVE: 'ok',
  INACTIVE: 'muted',
  PAUSED: 'warn',
  NOT_ANSWERING: 'bad',
};

function WorkerCard({
  worker,
  isCurrent,
  onChoose,
  onChanged,
}: {
  worker: WorkerDetail;
  isCurrent: boolean;
  onChoose: () => void;
  onChanged: () => void;
}): ReactNode {
  const { workerId, name, status, slots, actions, labels } = worker;
  const [open, setOpen] = useState(false);
  const statusText = workerStatusText(status);
  return (
    <li id={`row-${workerId}`} className={`card stack${isCurrent ? ' current' : ''}`} onClick={onChoose}>
      <header className="row spread wrap">
        <h2>{name}</h2>
        <span className={`state ${classes[status]}`}>
          <Icon name={marks[status]} /> {statusText.charAt(0).toUpperCase()}
          {statusText.slice(1).toLowerCase()}
        </span>
      </header>
      {status === 'NOT_ANSWERING' ? (
        <p className="notice bad">
          It is connected, but says nothing of tasks that were sent to it: something keeps its event loop busy.
        </p>
      ) : null}
      {slots.map(({ type, total, used }) => (
        <div key={type} className="row">
          <span className="slot-type">{type}</span>
          <Meter used={used} total={total} label={`Slots of ${name}, ${type}`} />
        </div>
      ))}
      <dl className="facts small">
        <div>
          <dt>Heartbeat</dt>
          <dd>
            <Ago at={worker.lastHeartbeatAt} />
          </dd>
        </div>
        <div>
          <dt>Up since</dt>
          <dd>
            <Ago at={worker.registeredAt} />
          </dd>
        </div>
        <div>
          <dt>SDK</dt>
          <dd>{worker.sdk === '' ? '–' : worker.sdk}</dd>
        </div>
        <div>
          <dt>Id</dt>
          <dd className="mono">
            …{workerId.slice(-8)} <CopyButton text={workerId} what={`the id of ${name}`} />
          </dd>
        </div>
      </dl>
      {Object.keys(labels).length === 0 ? null : (
        <ul className="pairs" aria-label="Labels">
          {Object.entries(labels).map(([key, value]) => (
            <li key={key}>
              <span>
                {key}: {value}
              </span>
            </li>
          ))}
        </ul>
      )}
      <Actions actions={actions} />
      <div className="row wrap">
        <PauseWorker worker={worker} onChanged={onChanged} />
        <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
          What runs here
        </button>
      </div>
      {open ? <RunningHere workerId={workerId} /> : null}
    </li>
  );
}

function Actions({ actions }: { actions: readonly string[] }): ReactNode {
  return (
    <details>
      <summary>
        {actions.length} {actions.length === 1 ? 'action' : 'actions'}
      </summary>
      <ul className="mono small plain">
        {actions.map((action) => (
          <li key={action}>{action}</li>
        ))}
      </ul>
    </details>
  );
}

function PauseWorker({ worker, onChanged }: { worker: WorkerDetail; onChanged: () => void }): ReactNode {
  const calls = useCalls();
  const isPaused = worker.status === 'PAUSED';
  return (
    <ActionButton
      needs="work"
      question={
        isPaused
          ? undefined
          : {
              title: `Pause ${worker.name}?`,
              text: 'It ends what it has, and is given no more until you resume it.',
              action: 'Pause',
            }
      }
      onAction={async () => {
        await calls.rest('PATCH /api/v1/workers/:worker', {
          parts: { worker: worker.workerId },
          body: { isPaused: !isPaused },
        });
        onChanged();
        return isPaused ? `${worker.name} goes on.` : `${worker.name} is paused.`;
      }}
    >
      {isPaused ? 'Resume' : 'Pause'}
    </ActionButton>
  );
}

/** Tasks on the worker, of the runs that run now. The engine lists tasks by run alone. */
function RunningHere({ workerId }: { workerId: string }): ReactNode {
  const { value, error } = useAnswer(
    `on ${workerId}`,
    async (calls, signal) => {
      const { rows } = await listFiltered(calls, { statuses: ['RUNNING'], limit: runsLookedAt }, signal);
      const found: { runId: string; workflow: string; task: TaskRow }[] = [];
      for (const run of rows) {
        const { tasks } = await getRun(calls, run.runId, signal);
        for (const task of tasks)
          if (task.workerId === workerId && task.status === 'RUNNING')
            found.push({ runId: run.runId, workflow: run.workflow, task });
      }
      return { found, lookedAt: rows.length };
    },
    { everyMs: everyMs * 2 },
  );
  if (error !== undefined && value === undefined) return <Failed error={error} />;
  if (value === undefined) return <Skeleton lines={2} />;
  return (
    <div>
      {value.found.length === 0 ? (
        <p className="muted">Nothing that is among the newest {value.lookedAt} running runs.</p>
      ) : (
        <ul className="plain" aria-label="What runs here">
          {value.found.map(({ runId, workflow, task }) => (
            <li key={task.taskId}>
              <Link href={runHref(runId, 'graph', { task: task.name })}>
                {workflow} / {task.name}
              </Link>{' '}
              <span className="muted">
                <Ago at={task.startedAt} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
