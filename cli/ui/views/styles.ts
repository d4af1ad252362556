import type { RunStatusName } from '../../status-name.ts';

/** What text may look like. The terminal's own colours stay behind it, and none is used that is lost on a dark or on a light ground: no yellow, cyan, white, grey or blue. */
export interface TextStyle {
  color?: 'red' | 'green' | 'magenta';
  bold?: true;
  dimColor?: true;
}

/** What did not go as it should. */
export const wrong: TextStyle = { color: 'red' };
/** What somebody has to look at. */
export const attention: TextStyle = { color: 'magenta', bold: true };
export const notice: TextStyle = { bold: true };

export const statusStyle: Readonly<Record<RunStatusName, TextStyle>> = {
  QUEUED: {},
  RUNNING: { bold: true },
  COMPLETED: { color: 'green' },
  FAILED: { color: 'red' },
  CANCELLED: { dimColor: true },
  EVICTED: { color: 'magenta' },
};
