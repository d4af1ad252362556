import type { RunStatusName } from '../../status-name.ts';

/** Colour is never all that tells statuses apart: each has a sign of its own, one cell wide. */
export const statusMark: Readonly<Record<RunStatusName, string>> = {
  QUEUED: '○',
  RUNNING: '◐',
  COMPLETED: '✓',
  FAILED: '✗',
  CANCELLED: '⊘',
  EVICTED: '◌',
};
