import { useState, type ReactNode } from 'react';
import type { CronRow, ScheduleFigures, ScheduleRow } from '../../../cli/monitor/schedule-rows.ts';
import { runHref, workflowHref } from '../../address/address.ts';
import { Link } from '../../address/link.tsx';
import { navigate } from '../../address/navigation.ts';
import { scheduleFigures } from '../../data/figure-messages.ts';
import { useFollow } from '../../hooks/use-follow.ts';
import { ActionButton } from '../../parts/action-button.tsx';
import { Empty, Failed, Skeleton } from '../../parts/blank.tsx';
import { useFeedback } from '../../parts/feedback.tsx';
import { PageHead } from '../../parts/page-head.tsx';
import { useRowCursor } from '../../parts/row-cursor.ts';
import { SearchField } from '../../parts/search-field.tsx';
import { Ago, Countdown } from '../../parts/time.tsx';
import { useCalls } from '../../session/session.ts';
import { Icon } from '../../parts/icon.tsx';

export function SchedulesView(): ReactNode {
  const [figures, setFigures] = useState<ScheduleFigures>();
  const [search, setSearch] = useState('');
  const error = useFollow('schedules', {
    open: async function* (calls, reader) {
      for await (const fields of calls.stream('StreamSchedules', {}, reader)) yield scheduleFigures(fields);
    },
    onMessage: setFigures,
  });
  const wanted = search.trim().toLowerCase();
  const crons = (figures?.crons ?? []).filter(({ name, workflow }) =>
    `${name} ${workflow}`.toLowerCase().includes(wanted),
  );
  const schedules = (figures?.schedules ?? []).filter(({ workflow }) => workflow.toLowerCase().includes(wanted));
  const cursor = useRowCursor([...crons.map(({ cronId }) => cronId), ...schedules.map(({ scheduleId }) => scheduleId)]);
  return (
    <div className="view">
      <PageHead title="Schedules" />
      <SearchField label="Search crons and workflows" value={search} onChange={setSearch} />
      {error === undefined ? null : <Failed error={error} />}
      {figures === undefined ? (
        error === undefined ? (
          <Skeleton />
        ) : null
      ) : (
        <div className="stack">
          <section aria-label="Crons">
            <h2>
              Crons <Total shown={crons.length} total={figures.total.crons} />
            </h2>
            {crons.length === 0 ? (
              <Empty title={figures.total.crons === 0 ? 'No crons yet' : 'No cron fits'}>
                <p>
                  Declare one with <code>onCrons</code> in a workflow, or make one: <code>hatchet crons create</code>.
                </p>
              </Empty>
            ) : (
              <Crons rows={crons} current={cursor.current} onChoose={cursor.choose} />
            )}
          </section>
          <section aria-label="Scheduled runs">
            <h2>
              Scheduled runs <Total shown={schedules.length} total={figures.total.schedules} />
            </h2>
            {schedules.length === 0 ? (
              <Empty title={figures.total.schedules === 0 ? 'Nothing is scheduled' : 'No scheduled run fits'}>
                <p>
                  Schedule a run with <code>hatchet schedules create</code>, or <code>workflow.schedule(…)</code> of the
                  SDK.
                </p>
              </Empty>
            ) : (
              <Schedules rows={schedules} current={cursor.current} onChoose={cursor.choose} />
            )}
          </section>
        </div>
      )}
    </div>
  );
}

function Total({ shown, total }: { shown: number; total: number }): ReactNode {
  if (total === 0) return null;
  return <span className="muted small">{total > shown ? `${shown} of ${total}` : total}</span>;
}

interface ListProps<T> {
  rows: readonly T[];
  current: string | undefined;
  onChoose: (id: string) => void;
}

function Crons({ rows, current, onChoose }: ListProps<CronRow>): ReactNode {
  return (
    <div className="scroll-box" tabIndex={0} role="group" aria-label="Crons">
      <table className="list cards">
        <thead>
          <tr>
            <th scope="col">Cron</th>
            <th scope="col">Workflow</th>
            <th scope="col">Expression</th>
            <th scope="col">Next</th>
            <th scope="col">Last</th>
            <th scope="col">
              <span className="hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr
              key={row.cronId}
              id={`row-${row.cronId}`}
              className={current === row.cronId ? 'current' : undefined}
              onClick={() => onChoose(row.cronId)}
            >
              <td>
                {row.name === '' ? <span className="muted">unnamed</span> : row.name}
                {row.isDeclared ? <div className="muted small">declared by its workflow</div> : null}
                {row.lastError === null ? null : <div className="bad-text small">Last tick: {row.lastError}</div>}
              </td>
              <td data-label="Workflow">
                <Link href={workflowHref(row.workflow)}>{row.workflow}</Link>
              </td>
              <td data-label="Expression" className="mono">
                {row.expression}
                <div className="muted small">{row.timezone}</div>
              </td>
              <td data-label="Next">{row.enabled ? <Countdown at={row.nextAt ?? null} /> : <Off />}</td>
              <td data-label="Last">
                {row.lastRunId === null ? (
                  <Ago at={row.lastAt} />
                ) : (
                  <Link href={runHref(row.lastRunId)}>
                    <Ago at={row.lastAt} />
                  </Link>
                )}
              </td>
              <td>
                <CronActions cron={row} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Off(): ReactNode {
  return (
    <span className="state warn">
      <Icon name="pause" /> Off
    </span>
  );
}

function CronActions({ cron }: { cron: CronRow }): ReactNode {
  const calls = useCalls();
  const { tell } = useFeedback();
  const parts = { cron: cron.cronId };
  const name = cron.name === '' ? cron.workflow : cron.name;
  return (
    <span className="row end">
      <ActionButton
        needs="trigger"
        className="small"
        label={`Run now: ${name}`}
        onAction={async () => {
          const { externalId } = await calls.rest('POST /api/v1/tenants/:tenant/workflows/crons/:cron', { parts });
          tell('Triggered. Its ticks stay as they are.');
          navigate(runHref(externalId));
          return undefined;
        }}
      >
        Run now
      </ActionButton>
      <ActionButton
        needs="admin"
        className="small"
        label={`${cron.enabled ? 'Disable' : 'Enable'} ${name}`}
        onAction={async () => {
          await calls.rest('PATCH /api/v1/tenants/:tenant/workflows/crons/:cron', {
            parts,
            body: { enabled: !cron.enabled },
          });
          return `${name} is ${cron.enabled ? 'off' : 'on'}.`;
        }}
      >
        {cron.enabled ? 'Disable' : 'Enable'}
      </ActionButton>
      <ActionButton
        needs="admin"
        className="small"
        label={`Delete ${name}`}
        question={{
          title: `Delete the cron ${name}?`,
          text: cron.isDeclared
            ? 'Its workflow declares it: it comes back when a worker registers the workflow anew. Disable it to keep it away.'
            : 'It starts no more runs. Runs that it started stay.',
          action: 'Delete',
          danger: true,
        }}
        onAction={async () => {
          await calls.rest('DELETE /api/v1/tenants/:tenant/workflows/crons/:cron', { parts });
          return `${name} is deleted.`;
        }}
      >
        Delete
      </ActionButton>
    </span>
  );
}

function Schedules({ rows, current, onChoose }: ListProps<ScheduleRow>): ReactNode {
  const calls = useCalls();
  return (
    <div className="scroll-box" tabIndex={0} role="group" aria-label="Scheduled runs">
      <table className="list cards">
        <thead>
          <tr>
            <th scope="col">Workflow</th>
            <th scope="col">Due</th>
            <th scope="col">Id</th>
            <th scope="col">
              <span className="hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ scheduleId, workflow, dueAt }) => (
            <tr
              key={scheduleId}
              id={`row-${scheduleId}`}
              className={current === scheduleId ? 'current' : undefined}
              onClick={() => onChoose(scheduleId)}
            >
              <td>
                <Link href={workflowHref(workflow)}>{workflow}</Link>
              </td>
              <td data-label="Due">
                <Countdown at={dueAt} />
              </td>
              <td data-label="Id" className="mono small" title={scheduleId}>
                …{scheduleId.slice(-8)}
              </td>
              <td>
                <span className="row end">
                  <ActionButton
                    needs="trigger"
                    className="small"
                    label={`Run now: the scheduled ${workflow}`}
                    onAction={async () => {
                      const { externalId } = await calls.rest(
                        'POST /api/v1/tenants/:tenant/workflows/scheduled/:schedule',
                        { parts: { schedule: scheduleId } },
                      );
                      navigate(runHref(externalId));
                      return 'Triggered in place of its time.';
                    }}
                  >
                    Run now
                  </ActionButton>
                  <ActionButton
                    needs="trigger"
                    className="small"
                    label={`Delete the scheduled ${workflow}`}
                    question={{
                      title: `Delete the scheduled run of ${workflow}?`,
                      text: 'It will not run.',
                      action: 'Delete',
                      danger: true,
                    }}
                    onAction={async () => {
                      await calls.rest('DELETE /api/v1/tenants/:tenant/workflows/scheduled/:schedule', {
                        parts: { schedule: scheduleId },
                      });
                      return 'The scheduled run is deleted.';
                    }}
                  >
                    Delete
                  </ActionButton>
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
