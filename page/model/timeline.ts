import { attemptsOf } from '../../cli/ui/model/run/attempts.ts';
import type { EventRow, TaskRow } from '../../cli/monitor/run-reader.ts';
import { isTerminal, type RunStatusName } from '../../cli/status-name.ts';

/** One try of a task, in percent of the run's time. */
export interface TimelineRow {
  key: string;
  task: string;
  taskId: string;
  /** From 1; 0 for a task that no worker has had yet. */
  attempt: number;
  status: RunStatusName;
  /** The transition that ended it; empty while it goes on. */
  end: string;
  workerId: string | null;
  waiting: Span;
  running: Span | undefined;
}

export interface Span {
  from: number;
  length: number;
  ms: number;
}

export interface Timeline {
  rows: readonly TimelineRow[];
  beginMs: number;
  endMs: number;
}

interface Try {
  task: TaskRow;
  attempt: number;
  waitsFrom: number;
  startedAt: number | undefined;
  endedAt: number;
  end: string;
  workerId: string | null;
  status: RunStatusName;
}

/** Every attempt's waiting and running on one scale, from the first thing that happened to the last, or to now. */
export function timeline(tasks: readonly TaskRow[], events: readonly EventRow[], nowMs: number): Timeline {
  const tries = tasks.flatMap((task) => triesOf(task, events, nowMs));
  const beginMs = Math.min(...tries.map((each) => each.waitsFrom), nowMs);
  const endMs = Math.max(...tries.map((each) => each.endedAt), beginMs + 1);
  const percent = (ms: number): number => (ms / (endMs - beginMs)) * 100;
  const span = (from: number, to: number): Span => ({
    from: percent(from - beginMs),
    length: percent(Math.max(0, to - from)),
    ms: Math.max(0, to - from),
  });
  return {
    beginMs,
    endMs,
    rows: tries.map(({ task, attempt, waitsFrom, startedAt, endedAt, end, workerId, status }) => ({
      key: `${task.taskId} ${attempt} ${waitsFrom}`,
      task: task.name,
      taskId: task.taskId,
      attempt,
      status,
      end,
      workerId,
      waiting: span(waitsFrom, startedAt ?? endedAt),
      running: startedAt === undefined ? undefined : span(startedAt, endedAt),
    })),
  };
}

function triesOf(task: TaskRow, events: readonly EventRow[], nowMs: number): Try[] {
  const queued = ms(task.queuedAt) ?? ms(task.createdAt);
  const attempts = attemptsOf(events, task.taskId);
  const first = firstQueued(events, task.taskId) ?? queued;
  const tries: Try[] = [];
  let waitsFrom = first;
  for (const [index, attempt] of attempts.entries()) {
    const startedAt = ms(attempt.startedAt) ?? waitsFrom ?? nowMs;
    const endedAt = ms(attempt.endedAt) ?? nowMs;
    const isLast = index === attempts.length - 1;
    tries.push({
      task,
      attempt: attempt.number,
      waitsFrom: Math.min(waitsFrom ?? startedAt, startedAt),
      startedAt,
      endedAt,
      end: attempt.end ?? '',
      workerId: attempt.workerId,
      status: statusOf(attempt.end, isLast ? task.status : 'FAILED'),
    });
    waitsFrom = endedAt;
  }
  const last = attempts.at(-1);
  const waits = !isTerminal(task.status) && (last === undefined || last.end !== null);
  if (last === undefined || waits) {
    const from = waitsFrom ?? nowMs;
    tries.push({
      task,
      attempt: last === undefined ? 0 : last.number + (last.end === 'DURABLE_EVICTED' ? 0 : 1),
      waitsFrom: from,
      startedAt: undefined,
      endedAt: Math.max(from, waits ? nowMs : (ms(task.finishedAt) ?? from)),
      end: '',
      workerId: null,
      status: task.status,
    });
  }
  return tries;
}

function firstQueued(events: readonly EventRow[], taskId: string): number | undefined {
  return ms(events.find((event) => event.taskId === taskId && event.type === 'QUEUED')?.time ?? null);
}

function statusOf(end: string | null, otherwise: RunStatusName): RunStatusName {
  if (end === null) return 'RUNNING';
  if (end === 'FINISHED') return 'COMPLETED';
  if (end === 'CANCELLED') return 'CANCELLED';
  if (end === 'DURABLE_EVICTED') return 'EVICTED';
  if (end === 'FAILED' || end === 'TIMED_OUT') return 'FAILED';
  return otherwise;
}

function ms(iso: string | null): number | undefined {
  return iso === null ? undefined : Date.parse(iso);
}
