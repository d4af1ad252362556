import type { BatchRule } from '../../model/definition.ts';
import { flushReason, type FlushReason } from './when-to-flush.ts';
import type { ActionQueue } from '../queue/action-queue.ts';
import type { Placement } from '../queue/placement.ts';
import { rankCount, retryRank } from '../queue/task-order.ts';
import { type RankedList } from '../state/lists/ranked-list.ts';
import type { TaskRow } from '../state/table/rows.ts';

/** One batch key of one step, over all of its workflow's versions. */
export class BatchGroup {
  readonly id: string;
  readonly key: string;
  /** Batches on workers. */
  readonly running = new Set<RunningBatch>();
  readonly buffers = new Map<string, BatchBuffer>();

  constructor(id: string, key: string) {
    this.id = id;
    this.key = key;
  }
}

/** Members that run as one call. They share the slots of one task. */
export interface RunningBatch {
  readonly id: string;
  readonly group: BatchGroup;
  /** Those that are RUNNING or CANCELLING. */
  readonly rows: Set<TaskRow>;
}

/** Tasks that gather: of one version's step, of one key, and of one placement, since a batch has one worker. */
export class BatchBuffer {
  readonly group: BatchGroup;
  readonly rule: BatchRule;
  readonly queue: ActionQueue;
  readonly placement: Placement;
  readonly list: RankedList;
  readonly #sinceOf: (row: TaskRow) => number;
  /** What the members bring to the batch's message. */
  bytes = 0;
  /** Whose turn it is among the buffers of the queue that may go. */
  turn = 0;

  constructor(options: {
    group: BatchGroup;
    rule: BatchRule;
    queue: ActionQueue;
    placement: Placement;
    list: RankedList;
    sinceOf: (row: TaskRow) => number;
  }) {
    this.group = options.group;
    this.rule = options.rule;
    this.queue = options.queue;
    this.placement = options.placement;
    this.list = options.list;
    this.#sinceOf = options.sinceOf;
  }

  /** Of the member that goes first; undefined with none. */
  get rank(): number | undefined {
    for (let rank = 0; rank < rankCount; rank++) if (this.list.headOf(rank) !== undefined) return rank;
    return undefined;
  }

  /** When the member that has waited longest has done so for the interval; Infinity for never. */
  get flushAtUs(): number {
    const { maxIntervalMs } = this.rule;
    if (maxIntervalMs === null || this.list.length === 0) return Infinity;
    let oldest = Infinity;
    for (let rank = 0; rank < rankCount; rank++) {
      const head = this.list.headOf(rank);
      if (head !== undefined) oldest = Math.min(oldest, this.#sinceOf(head));
    }
    return oldest + maxIntervalMs * 1000;
  }

  /** As many batches of the key run as may. */
  get isBlocked(): boolean {
    return this.rule.groupMaxRuns !== null && this.group.running.size >= this.rule.groupMaxRuns;
  }

  /** Why its next batch may go now; undefined while it may not. */
  whyNow(nowUs: number): FlushReason | undefined {
    const { rule, list, bytes, flushAtUs } = this;
    const hasRetried = list.headOf(retryRank) !== undefined;
    return flushReason(rule, { size: list.length, bytes, hasRetried, isDue: flushAtUs <= nowUs });
  }
}
