import { useState, type ReactNode } from 'react';
import {
  keyScope,
  usedAt,
  type KeyRow,
  type LimitRow,
  type QueueFigures,
  type QueueRow,
} from '../../../cli/monitor/queue-rows.ts';
import { queueFigures } from '../../data/figure-messages.ts';
import { useFollow } from '../../hooks/use-follow.ts';
import { Empty, Failed, Skeleton } from '../../parts/blank.tsx';
import { Chart, type ChartSeries } from '../../parts/chart.tsx';
import { Meter } from '../../parts/meter.tsx';
import { useNow } from '../../parts/now.ts';
import { PageHead } from '../../parts/page-head.tsx';
import { useRowCursor } from '../../parts/row-cursor.ts';
import { SearchField } from '../../parts/search-field.tsx';
import { Ago, Countdown } from '../../parts/time.tsx';
import { useCalls } from '../../session/session.ts';
import { depths, keptSeconds } from './depths.ts';
import { Icon } from '../../parts/icon.tsx';

const series: readonly ChartSeries[] = [
  { name: 'Queued', color: '--queued' },
  { name: 'Running', color: '--running', dash: [6, 3] },
  { name: 'Delayed', color: '--warn', dash: [2, 3] },
];

export function QueuesView(): ReactNode {
  const [figures, setFigures] = useState<QueueFigures>();
  const [search, setSearch] = useState('');
  const error = useFollow('queues', {
    open: async function* (calls, reader) {
      for await (const fields of calls.stream('StreamQueues', {}, reader)) yield queueFigures(fields);
    },
    onMessage: setFigures,
  });
  const wanted = search.trim().toLowerCase();
  const queues = (figures?.queues ?? []).filter(({ action }) => action.toLowerCase().includes(wanted));
  const keys = (figures?.keys ?? []).filter((key) => `${key.key} ${keyScope(key)}`.toLowerCase().includes(wanted));
  const limits = (figures?.limits ?? []).filter(({ key }) => key.toLowerCase().includes(wanted));
  const cursor = useRowCursor(queues.map(({ action }) => action));
  return (
    <div className="view">
      <PageHead title="Queues" />
      {error === undefined ? null : <Failed error={error} />}
      <Depth figures={figures} />
      <SearchField label="Search actions, keys and limits" value={search} onChange={setSearch} />
      {figures === undefined ? (
        error === undefined ? (
          <Skeleton />
        ) : null
      ) : (
        <div className="stack">
          <Section title="Actions" shown={queues.length} total={figures.total.queues}>
            {queues.length === 0 ? (
              <Empty title={wanted === '' ? 'Nothing is queued, running or served' : 'No action fits'} />
            ) : (
              <Actions rows={queues} current={cursor.current} onChoose={cursor.choose} />
            )}
          </Section>
          <Section title="Concurrency keys" shown={keys.length} total={figures.total.keys}>
            {keys.length === 0 ? (
              <Empty title={wanted === '' ? 'No unfinished task names a concurrency key' : 'No key fits'} />
            ) : (
              <Keys rows={keys} />
            )}
          </Section>
          <Section title="Rate limits" shown={limits.length} total={figures.total.limits}>
            {limits.length === 0 ? (
              <Empty title={wanted === '' ? 'No rate limit yet' : 'No limit fits'} />
            ) : (
              <Limits rows={limits} />
            )}
          </Section>
        </div>
      )}
    </div>
  );
}

function Section({
  title,
  shown,
  total,
  children,
}: {
  title: string;
  shown: number;
  total: number;
  children: ReactNode;
}): ReactNode {
  return (
    <section aria-label={title}>
      <h2>
        {title}{' '}
        {total === 0 ? null : <span className="muted small">{total > shown ? `${shown} of ${total}` : total}</span>}
      </h2>
      {children}
    </section>
  );
}

/** What waits and what runs, over the last quarter of an hour that the page was open. */
function Depth({ figures }: { figures: QueueFigures | undefined }): ReactNode {
  // Once a second, also while nothing changes: the line goes on.
  const nowMs = useNow();
  const data = depths(useCalls(), figures, nowMs);
  return (
    <section className="card" aria-label="Depth over time">
      <Chart
        label="Queued, running and delayed tasks over the last 15 minutes"
        series={series}
        data={data}
        seconds={keptSeconds}
      />
    </section>
  );
}

function Actions({
  rows,
  current,
  onChoose,
}: {
  rows: readonly QueueRow[];
  current: string | undefined;
  onChoose: (action: string) => void;
}): ReactNode {
  return (
    <div className="scroll-box" tabIndex={0} role="group" aria-label="Actions">
      <table className="list cards">
        <thead>
          <tr>
            <th scope="col">Action</th>
            <th scope="col" className="figure">
              Queued
            </th>
            <th scope="col" className="figure">
              Running
            </th>
            <th scope="col" className="figure">
              Delayed
            </th>
            <th scope="col" className="figure">
              For a place
            </th>
            <th scope="col" className="figure">
              For units
            </th>
            <th scope="col" className="figure">
              For a batch
            </th>
            <th scope="col" className="figure">
              Workers
            </th>
            <th scope="col">Oldest</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr
              key={row.action}
              id={`row-${row.action}`}
              className={current === row.action ? 'current' : undefined}
              onClick={() => onChoose(row.action)}
            >
              <td className="mono">{row.action}</td>
              <Figure label="Queued" value={row.queued} />
              <Figure label="Running" value={row.running} />
              <Figure label="Delayed" value={row.delayed} />
              <Figure label="For a place" value={row.waitingForPlace} />
              <Figure label="For units" value={row.waitingForUnits} />
              <Figure label="For a batch" value={row.waitingForBatch} />
              <td data-label="Workers" className="figure">
                {row.workers === 0 && row.queued > 0 ? (
                  <span className="state bad">
                    <Icon name="alert" /> none
                  </span>
                ) : (
                  row.workers
                )}
              </td>
              <td data-label="Oldest">
                <Ago at={row.oldestQueuedAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Figure({ label, value }: { label: string; value: number }): ReactNode {
  return (
    <td data-label={label} className={value === 0 ? 'figure muted' : 'figure'}>
      {value.toLocaleString('en')}
    </td>
  );
}

function Keys({ rows }: { rows: readonly KeyRow[] }): ReactNode {
  return (
    <div className="scroll-box" tabIndex={0} role="group" aria-label="Concurrency keys">
      <table className="list cards">
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col">Of</th>
            <th scope="col">Strategy</th>
            <th scope="col">Held</th>
            <th scope="col" className="figure">
              Waiting
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.key} ${keyScope(row)} ${row.strategy}`}>
              <td className="mono">{row.key}</td>
              <td data-label="Of">{keyScope(row)}</td>
              <td data-label="Strategy" className="small">
                {row.strategy.toLowerCase().replaceAll('_', ' ')}
              </td>
              <td data-label="Held">
                <Meter used={row.held} total={row.maxRuns} label={`Places held on ${row.key}`} />
              </td>
              <Figure label="Waiting" value={row.waiting} />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Limits({ rows }: { rows: readonly LimitRow[] }): ReactNode {
  const nowMs = useNow();
  return (
    <div className="scroll-box" tabIndex={0} role="group" aria-label="Rate limits">
      <table className="list cards">
        <thead>
          <tr>
            <th scope="col">Limit</th>
            <th scope="col">Used</th>
            <th scope="col">Window</th>
            <th scope="col">Refill</th>
            <th scope="col" className="figure">
              Waiting
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const used = usedAt(row, nowMs);
            return (
              <tr key={row.key}>
                <td className="mono">{row.key}</td>
                <td data-label="Used">
                  <Meter used={used} total={row.limit} label={`Units used of ${row.key}`} />
                </td>
                <td data-label="Window">a {row.window.toLowerCase()}</td>
                <td data-label="Refill">
                  {used === 0 ? <span className="muted">full</span> : <Countdown at={row.refillAt} />}
                </td>
                <td data-label="Waiting" className="figure">
                  {row.waiting.toLocaleString('en')}
                  {row.tooLarge === 0 ? null : (
                    <div className="bad-text small">{row.tooLarge} ask for more than a window holds</div>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
