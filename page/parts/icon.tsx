import type { ReactNode } from 'react';
import type { RunStatusName } from '../../cli/status-name.ts';

/** Outlines in a box of 16 by 16. Drawn, not written: not every font has such signs. */
const outlines = {
  queued: 'M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11',
  running: 'M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11M8 2.5v11M6 3v10M4 4.5v7',
  completed: 'M2.5 8.5l4 4l7-9',
  failed: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  cancelled: 'M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11M4.2 11.8l7.6-7.6',
  evicted:
    'M8 2.5a5.5 5.5 0 0 1 2.7.7M13 6a5.5 5.5 0 0 1-.4 5M9.5 13.3a5.5 5.5 0 0 1-4.5-.8M2.8 9.800a5.5 5.5 0 0 1 1.3-5.6',
  open: 'M3.5 6l4.5 4.500l4.5-4.5',
  closed: 'M6 3.500l4.5 4.500l-4.5 4.5',
  close: 'M4 4l8 8M12 4l-8 8',
  pause: 'M5.5 3.500v9M10.5 3.500v9',
  play: 'M5 3.500l7.5 4.500l-7.5 4.500z',
  alert: 'M8 2.500v7M8 12.500v.500',
  dot: 'M8 5a3 3 0 1 0 0 6a3 3 0 1 0 0-6M8 7v2M7 8h2',
  logo: 'M4 2.500v11M12 2.500v11M4 8h8',
  workflows: 'M2.5 5.500h4v5h-4zM9.5 2.500h4v4h-4zM9.5 9.500h4v4h-4zM6.5 8h1.500v-3.500h1.500M8 8v3.500h1.5',
  workers: 'M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.500M5 11h.500',
  queues: 'M2.5 4h11M2.5 8h11M2.5 12h7',
  schedules: 'M8 2.500a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11M8 5v3.500l2.5 1.5',
  events: 'M9 1.500l-5.5 8h4l-1 5l6-8h-4z',
  webhooks: 'M2.5 8h8M7.5 4.500l3.5 3.500l-3.5 3.500M13.5 3v10',
  letters: 'M2.5 4h11v8.500h-11zM2.5 4.500l5.5 4.500l5.5-4.5',
  audit: 'M4 2.500h8v11h-8zM6 5.500h4M6 8h4M6 10.500h2.5',
} as const;

export type IconName = keyof typeof outlines;

/** A sign beside words that say the same. */
export function Icon({ name }: { name: IconName }): ReactNode {
  return (
    <svg className="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={outlines[name]} />
    </svg>
  );
}

const ofStatus: Readonly<Record<RunStatusName, IconName>> = {
  QUEUED: 'queued',
  RUNNING: 'running',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  EVICTED: 'evicted',
};

/** Each status has a sign of its own, as in the terminal UI: colour is never all that tells them apart. */
export function StatusIcon({ status }: { status: RunStatusName }): ReactNode {
  return <Icon name={ofStatus[status]} />;
}

/** Whether something is folded out. */
export function FoldIcon({ isOpen }: { isOpen: boolean }): ReactNode {
  return <Icon name={isOpen ? 'open' : 'closed'} />;
}

/** The key that does the same as a button. */
export function ButtonKey({ name }: { name: string }): ReactNode {
  return <kbd aria-hidden="true">{name}</kbd>;
}
