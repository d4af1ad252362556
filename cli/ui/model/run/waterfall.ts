import type { TaskRow } from '../../../monitor/run-reader.ts';
import type { RunStatusName } from '../../../status-name.ts';
import { msText } from '../../../output/time-text.ts';

export interface WaterfallRow {
  name: string;
  status: RunStatusName;
  /** Spaces, then waiting, then running. */
  bar: { before: number; waiting: number; running: number };
  took: string;
}

/** Every task's waiting and running on one scale, from the first thing that happened to the last (or now). */
export function waterfall(
  tasks: readonly TaskRow[],
  options: { width: number; nowMs: number },
): readonly WaterfallRow[] {
  const { width, nowMs } = options;
  const times = tasks.map((task) => {
    const queued = parse(task.queuedAt) ?? parse(task.startedAt);
    const started = parse(task.startedAt);
    const finished = parse(task.finishedAt);
    return { queued, started: started ?? finished, finished };
  });
  const begin = Math.min(...times.flatMap((time) => time.queued ?? []), nowMs);
  const end = Math.max(
    ...times.flatMap((time) => (time.queued === undefined ? [] : [time.finished ?? nowMs])),
    begin + 1,
  );
  const scale = (ms: number): number =>
    Math.max(0, Math.min(width, Math.round(((ms - begin) / (end - begin)) * width)));
  return tasks.map((task, index) => {
    const time = times[index];
    if (time?.queued === undefined)
      return { name: task.name, status: task.status, bar: { before: 0, waiting: 0, running: 0 }, took: '' };
    const isRunning = time.started !== undefined;
    const stop = scale(isRunning ? (time.finished ?? nowMs) : nowMs);
    // What ran shows, be it for less than a cell.
    const start = isRunning ? Math.max(0, Math.min(scale(time.started ?? nowMs), stop - 1)) : stop;
    const from = Math.min(scale(time.queued), start);
    return {
      name: task.name,
      status: task.status,
      bar: { before: from, waiting: start - from, running: isRunning ? Math.max(1, stop - start) : 0 },
      took: !isRunning ? 'waiting' : msText((time.finished ?? nowMs) - (time.started ?? nowMs)),
    };
  });
}

function parse(iso: string | null): number | undefined {
  return iso === null ? undefined : Date.parse(iso);
}
