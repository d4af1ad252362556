import type { TaskRow } from '../../monitor/run-reader.ts';
import type { RunStatusName } from '../../monitor/status-name.ts';
import { msText } from '../../output/span-text.ts';

export interface WaterfallRow {
  name: string;
  status: RunStatusName;
  /** Spaces, then waiting, then running. */
  bar: { before: number; waiting: number; running: number };
  took: string;
}

/** Every task's waiting and running on one scale, from the first thing that happened to the last (or now). */
export function waterfall(tasks: readonly TaskRow[], options: { width: number; nowMs: number }): readonly WaterfallRow[] {
  const { width, nowMs } = options;
  const times = tasks.map((task) => {
    const queued = parse(task.queuedAt) ?? parse(task.startedAt);
    const started = parse(task.startedAt);
    const finished = parse(task.finishedAt);
    return { queued, started: started ?? finished, finished };
  });
  const begin = Math.min(...times.flatMap((time) => time.queued ?? []), nowMs);
  const end = Math.max(...times.flatMap((time) => (time.queued === undefined ? [] : [time.finished ?? nowMs])), begin + 1);
  const scale = (ms: number): number => Math.round(((ms - begin) / (end - begin)) * width);
  return tasks.map((task, index) => {
    const time = times[index];
    if (time?.queued === undefined) return { name: task.name, status: task.status, bar: { before: 0, waiting: 0, running: 0 }, took: '' };
    const from = scale(time.queued);
    const start = scale(time.started ?? nowMs);
    const stop = time.started === undefined ? start : Math.max(scale(time.finished ?? nowMs), Math.min(start + 1, width));
    const begins = Math.min(start, stop - (time.started === undefined ? 0 : 1));
    return {
      name: task.name,
      status: task.status,
      bar: { before: Math.min(from, begins), waiting: Math.max(0, begins - from), running: Math.max(0, stop - begins) },
      took: time.started === undefined ? 'waiting' : msText((time.finished ?? nowMs) - time.started),
    };
  });
}

function parse(iso: string | null): number | undefined {
  return iso === null ? undefined : Date.parse(iso);
}
