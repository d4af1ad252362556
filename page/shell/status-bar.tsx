import type { ReactNode } from 'react';
import { tryNow, useConnectionState } from '../data/connection-state.ts';
import { useNow } from '../parts/now.ts';
import { useSession } from '../session/session.ts';
import { useFigures } from '../hooks/figures.tsx';
import { Icon } from '../parts/icon.tsx';

/** The engine at a glance, and whether what is shown is still being told. */
export function StatusBar(): ReactNode {
  const { overview, rate } = useFigures();
  const { tenantName, engineVersion } = useSession();
  const figures: readonly (readonly [string, string])[] =
    overview === undefined
      ? []
      : [
          ['queued', overview.queued.toLocaleString('en')],
          ['running', overview.running.toLocaleString('en')],
          ['runs/s', rate === undefined ? '–' : rate < 10 ? rate.toFixed(1) : Math.round(rate).toLocaleString('en')],
          ['workers', overview.workers.toLocaleString('en')],
          ['slots', `${overview.slotsUsed}/${overview.slotsTotal}`],
        ];
  return (
    <section className="status-bar" aria-label="Engine">
      <dl>
        {figures.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <span className="row">
        <span className="muted tenant" title={`Engine ${overview?.engineVersion ?? engineVersion}`}>
          {tenantName} · {overview?.engineVersion ?? engineVersion}
        </span>
        <Connection />
      </span>
    </section>
  );
}

function Connection(): ReactNode {
  const connection = useConnectionState();
  switch (connection.state) {
    case 'live':
      return (
        <span className="connection live" role="status">
          <Icon name="dot" /> live
        </span>
      );
    case 'connecting':
      return (
        <span className="connection" role="status">
          <Icon name="queued" /> connecting
        </span>
      );
    case 'paused':
      return (
        <span className="connection" role="status">
          <Icon name="pause" /> paused
        </span>
      );
    case 'lost':
      return (
        <span className="row">
          <span className="connection lost" role="status" title={connection.reason}>
            <Icon name="failed" /> reconnecting
          </span>
          <NextTry atMs={connection.nextTryAtMs} />
        </span>
      );
  }
}

function NextTry({ atMs }: { atMs: number }): ReactNode {
  const nowMs = useNow();
  const seconds = Math.max(0, Math.ceil((atMs - nowMs) / 1_000));
  return (
    <button type="button" className="small" onClick={() => tryNow.dispatchEvent(new Event('try'))}>
      Try now{seconds > 0 ? ` (${seconds} s)` : ''}
    </button>
  );
}
