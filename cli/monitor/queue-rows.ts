import type { ListQueuesResponse } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';

/** One action's queue. These shapes are what `-o json` prints. */
export interface QueueRow {
  action: string;
  queued: number;
  running: number;
  /** Waiting for a retry's back-off. */
  delayed: number;
  waitingForPlace: number;
  waitingForUnits: number;
  /** Gathered until their batch is full or its time is over. */
  waitingForBatch: number;
  /** Connected and taking tasks. */
  workers: number;
  oldestQueuedAt: string | null;
}

export interface KeyRow {
  key: string;
  /** Null for a strategy that workflows share. */
  workflow: string | null;
  /** Null for a strategy of the whole workflow. */
  task: string | null;
  sharedName: string | null;
  strategy: string;
  held: number;
  maxRuns: number;
  waiting: number;
}

export interface LimitRow {
  key: string;
  limit: number;
  window: string;
  /** In the present window: none once `refillAt` has come. */
  used: number;
  refillAt: string | null;
  waiting: number;
  /** Tasks that ask more than a full window holds. */
  tooLarge: number;
  isStatic: boolean;
}

/** Each list is bounded, the worst first; `total` counts all. */
export interface QueueFigures {
  queues: readonly QueueRow[];
  keys: readonly KeyRow[];
  limits: readonly LimitRow[];
  total: { queues: number; keys: number; limits: number };
}

export function queueFigures(message: ListQueuesResponse): QueueFigures {
  return {
    queues: message.rows.map((row) => ({
      action: row.action,
      queued: Number(row.queued),
      running: Number(row.running),
      delayed: Number(row.delayed),
      waitingForPlace: Number(row.waitingForPlace),
      waitingForUnits: Number(row.waitingForUnits),
      waitingForBatch: Number(row.waitingForBatch),
      workers: row.workers,
      oldestQueuedAt: row.oldestQueuedAt?.toISOString() ?? null,
    })),
    keys: message.keys.map((row) => ({
      key: row.key,
      workflow: orNull(row.workflowName),
      task: orNull(row.taskName),
      sharedName: orNull(row.sharedName),
      strategy: row.strategy,
      held: row.held,
      maxRuns: row.maxRuns,
      waiting: Number(row.waiting),
    })),
    limits: message.limits.map((row) => ({
      key: row.key,
      limit: Number(row.limit),
      window: row.window,
      used: Number(row.used),
      refillAt: row.refillAt?.toISOString() ?? null,
      waiting: Number(row.waiting),
      tooLarge: Number(row.tooLarge),
      isStatic: row.isStatic,
    })),
    total: { queues: message.rowCount, keys: message.keyCount, limits: message.limitCount },
  };
}

function orNull(text: string): string | null {
  return text === '' ? null : text;
}

/** Units used at a time: a window that is over has none. */
export function usedAt(limit: LimitRow, nowMs: number): number {
  return limit.refillAt !== null && Date.parse(limit.refillAt) <= nowMs ? 0 : limit.used;
}

/** Who declared the strategy, for a person. */
export function keyScope(key: KeyRow): string {
  if (key.sharedName !== null) return `shared ${key.sharedName}`;
  return key.task === null
    ? (key.workflow ?? 'a workflow that is gone')
    : `${key.workflow ?? 'a workflow that is gone'}, task ${key.task}`;
}
