import type { QueueFigures } from '../../../cli/monitor/queue-rows.ts';
import { DepthHistory } from '../../model/depth-history.ts';

/** Kept while the page is open, also while another view is shown: of that time there is a gap. */
const history = new DepthHistory({ series: 3, seconds: 15 * 60 });
let drawnAt = 0;
let drawn = history.columns();

/** The figures as they were, once a second, with those of now. */
export function depths(figures: QueueFigures | undefined, nowMs: number): ReturnType<DepthHistory['columns']> {
  if (figures === undefined || nowMs === drawnAt) return drawn;
  drawnAt = nowMs;
  const sum = (read: (row: QueueFigures['queues'][number]) => number): number =>
    figures.queues.reduce((total, row) => total + read(row), 0);
  history.add(nowMs, [sum((row) => row.queued), sum((row) => row.running), sum((row) => row.delayed)]);
  drawn = history.columns();
  return drawn;
}
