import type { Placement } from './placement.ts';
import type { PlannerWorker } from './planner-worker.ts';
import { rankCount, type RankedList } from '../state/ranked-list.ts';
import type { TaskLists } from '../state/task-lists.ts';
import type { TaskTable } from '../state/task-table.ts';
import type { UndoLog } from '../state/undo-log.ts';

const tidyAt = 1024;

/** The waiting tasks of one key and one placement. */
interface Lane {
  readonly placement: Placement;
  readonly list: RankedList;
}

/** A key of the tasks' last round-robin link; '' for those without one. */
interface QueueKey {
  readonly key: string;
  readonly lanes: Map<Placement, Lane>;
  readonly counts: number[];
}

interface PlacementUse {
  readonly placement: Placement;
  waiting: number;
}

/**
 * The tasks of one action that are admitted and wait for a worker. Best rank first; inside a rank the keys take turns;
 * inside a key first come, first served. Tasks that differ in where they may run stand in lanes of their own,
 * so that one that no worker can take holds up nobody else.
 */
export class ActionQueue {
  readonly tenantId: string;
  readonly action: string;
  readonly #tasks: TaskTable;
  readonly #lists: TaskLists;
  readonly #keys = new Map<string, QueueKey>();
  /** By rank, the keys with tasks of that rank, next one first. */
  readonly #rings: Set<QueueKey>[] = Array.from({ length: rankCount }, () => new Set());
  readonly #placements = new Map<string, PlacementUse>();
  /** Times that a key ran out of tasks of a rank since the last tidy. */
  #emptied = 0;
  length = 0;
  /** Tasks that wait for their batches, besides. */
  gathering = 0;
  /** Steps of all versions whose action it is. */
  steps = 0;
  /** Registered for the action and not ended. */
  readonly workers: PlannerWorker[] = [];
  /** Where the search for a free worker starts: ties rotate. */
  turn = 0;

  constructor(options: { tenantId: string; action: string; tasks: TaskTable; lists: TaskLists }) {
    this.tenantId = options.tenantId;
    this.action = options.action;
    this.#tasks = options.tasks;
    this.#lists = options.lists;
  }

  /** No version and no worker names the action: nothing can wait in it. */
  get isUnused(): boolean {
    return this.steps === 0 && this.workers.length === 0;
  }

  /** When the task that waits longest became ready; 0 with none. Looks at the lanes' heads only. */
  get oldestSeq(): number {
    let oldest = Infinity;
    for (const { lanes } of this.#keys.values()) {
      for (const { list } of lanes.values()) {
        for (let rank = 0; rank < rankCount; rank++) {
          const head = list.headOf(rank);
          if (head >= 0) oldest = Math.min(oldest, this.#tasks.seq[head] ?? Infinity);
        }
      }
    }
    return oldest === Infinity ? 0 : oldest;
  }

  push(row: number, options: { rank: number; key: string; placement: Placement }, undo: UndoLog): void {
    this.#lane(options.key, options.placement).list.insert(row, options.rank, undo);
  }

  /** The task to place next among those whose placement is not in `passed`; undefined with none. */
  next(passed: ReadonlySet<Placement>): { row: number; placement: Placement; turn: () => void } | undefined {
    if (this.length === 0 || this.#allPassed(passed)) return undefined;
    for (const [rank, ring] of this.#rings.entries()) {
      for (const key of ring) {
        const lane = this.#firstLane(key, rank, passed);
        if (lane === undefined) continue;
        return {
          row: lane.list.headOf(rank),
          placement: lane.placement,
          // To the end of the ring, if it still is in it.
          turn: () => {
            if (ring.size > 1 && ring.delete(key)) ring.add(key);
          },
        };
      }
    }
    return undefined;
  }

  /** Forgets keys and placements that nobody waits with, once there are many. Only after a commit: an undo may need them. */
  tidy(): void {
    if (this.#emptied < tidyAt) return;
    this.#emptied = 0;
    for (const [name, key] of this.#keys) {
      for (const [placement, lane] of key.lanes) {
        if (lane.list.length > 0) continue;
        this.#lists.drop(lane.list);
        key.lanes.delete(placement);
      }
      if (key.lanes.size === 0) this.#keys.delete(name);
    }
    for (const [signature, use] of this.#placements) if (use.waiting === 0) this.#placements.delete(signature);
  }

  /** The shared object for a placement. */
  placement(made: Placement): Placement {
    const known = this.#placements.get(made.signature);
    if (known !== undefined) return known.placement;
    this.#placements.set(made.signature, { placement: made, waiting: 0 });
    return made;
  }

  #allPassed(passed: ReadonlySet<Placement>): boolean {
    if (passed.size === 0) return false;
    for (const { placement, waiting } of this.#placements.values())
      if (waiting > 0 && !passed.has(placement)) return false;
    return true;
  }

  #firstLane(key: QueueKey, rank: number, passed: ReadonlySet<Placement>): Lane | undefined {
    let first: Lane | undefined;
    let seq = Infinity;
    for (const lane of key.lanes.values()) {
      const head = lane.list.headOf(rank);
      if (head < 0 || passed.has(lane.placement)) continue;
      const own = this.#tasks.seq[head] ?? 0;
      if (own < seq) {
        first = lane;
        seq = own;
      }
    }
    return first;
  }

  #lane(name: string, placement: Placement): Lane {
    let key = this.#keys.get(name);
    if (key === undefined) {
      key = { key: name, lanes: new Map(), counts: Array.from({ length: rankCount }, () => 0) };
      this.#keys.set(name, key);
    }
    let lane = key.lanes.get(placement);
    if (lane === undefined) {
      lane = { placement, list: this.#lists.create(this.#watch(key, placement)) };
      key.lanes.set(placement, lane);
    }
    return lane;
  }

  /** Keeps counts and rings true, whoever moves a task: the planner or an undo. */
  #watch(key: QueueKey, placement: Placement): (rank: number, by: 1 | -1) => void {
    const use = this.#placements.get(placement.signature) ?? { placement, waiting: 0 };
    this.#placements.set(placement.signature, use);
    return (rank, by) => {
      this.length += by;
      use.waiting += by;
      const count = (key.counts[rank] ?? 0) + by;
      key.counts[rank] = count;
      const ring = this.#rings[rank];
      if (count === 0) {
        ring?.delete(key);
        this.#emptied++;
      } else if (by === 1 && count === 1) ring?.add(key);
    };
  }
}
