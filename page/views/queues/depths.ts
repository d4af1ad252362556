import type { QueueFigures } from '../../../cli/monitor/queue-rows.ts';
import { DepthHistory } from '../../model/depth-history.ts';

export const keptSeconds = 15 * 60;
const shape = { series: 3, seconds: keptSeconds };
/** Kept while somebody is signed in, also while another view is shown: of that time there is a gap. */
let history = new DepthHistory(shape);
let owner: object | undefined;
let drawnAt = 0;
let drawn = history.columns();

/** The figures as they were, once a second, with those of now. @param session another has figures of its own */
export function depths(
  session: object,
  figures: QueueFigures | undefined,
  nowMs: number,
): ReturnType<DepthHistory['columns']> {
  if (session !== owner) {
    owner = session;
    history = new DepthHistory(shape);
    drawn = history.columns();
  }
  if (figures === undefined || nowMs === drawnAt) return drawn;
  drawnAt = nowMs;
  const sum = (read: (row: QueueFigures['queues'][number]) => number): number =>
    figures.queues.reduce((total, row) => total + read(row), 0);
  const waiting = sum((row) => row.queued + row.waitingForPlace + row.waitingForUnits + row.waitingForBatch);
  history.add(nowMs, [waiting, sum((row) => row.running), sum((row) => row.delayed)]);
  drawn = history.columns();
  return drawn;
}
