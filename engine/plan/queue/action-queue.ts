import { QueueKey, TurnCounter, type KeyTasks } from './round-robin-of-keys.ts';
import { Line, LineHeap, noClaims, type UnitSource } from './line.ts';
import { LineIndex } from './line-index.ts';
import type { Constraint } from './placement.ts';
import type { PlannerWorker } from './planner-worker.ts';
import { rankCount } from './task-order.ts';
import type { TaskLists } from '../state/table/task-lists.ts';
import type { TaskTable } from '../state/table/task-table.ts';
import type { UndoLog } from '../state/undo-log.ts';
import type { Restore } from '../state/undo-log.ts';
import type { LimitEntry } from './line.ts';
import type { TaskRow } from '../state/table/rows.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** Keys of lines that have run out of tasks, from which on it is worth while to forget them. */
const tidyAt = 1024;

/** Whom a queue tells that something in it may go on. */
export interface QueueEvents {
  /** A line of the queue may go on. */
  opened(queue: ActionQueue): void;
  /** Another line is first of those that wait for the limit. */
  limitChanged(limit: UnitSource): void;
  /** Many lines and keys of the queue have run out of tasks: after the commit they can be forgotten. */
  outgrown(queue: ActionQueue): void;
}

/**
 * The tasks of one action that are admitted and wait for a worker. Best rank first; inside a rank the keys take turns;
 * inside a key first come, first served. Tasks that differ in where or when they may start stand in lines of their own.
 * A line whose next task cannot start is set apart as a whole until something comes that it waits for: no task of it is
 * touched, and nobody looks at it.
 */
export class ActionQueue {
  readonly tenantId: TenantId;
  readonly action: string;
  readonly #tasks: TaskTable;
  readonly #lists: TaskLists;
  readonly #events: QueueEvents;
  readonly #keys = new Map<string, QueueKey>();
  /** By the signature of their constraints. */
  readonly #lines = new Map<string, Line>();
  /** Those that may go on. */
  readonly #open = new LineHeap();
  readonly #index = new LineIndex();
  readonly #turns = new TurnCounter();
  /** Those that ran out of tasks since the last tidy. */
  readonly #emptied = new Map<KeyTasks, Line>();
  length = 0;
  /** Of them, those in lines that wait for units. */
  waitingForUnits = 0;
  /** Tasks that wait for their batches, besides. */
  gathering = 0;
  /** Steps of all versions whose action it is. */
  steps = 0;
  /** Registered for the action and not ended. */
  readonly workers: PlannerWorker[] = [];
  /** Where the search for a free worker starts: ties rotate. */
  turn = 0;

  constructor(options: {
    tenantId: TenantId;
    action: string;
    tasks: TaskTable;
    lists: TaskLists;
    events: QueueEvents;
  }) {
    this.tenantId = options.tenantId;
    this.action = options.action;
    this.#tasks = options.tasks;
    this.#lists = options.lists;
    this.#events = options.events;
  }

  /** No version and no worker names the action: nothing can wait in it. */
  get isUnused(): boolean {
    return this.steps === 0 && this.workers.length === 0;
  }

  /** When the task that waits longest became ready; 0 with none. Looks at the heads of the keys' tasks only. */
  get oldestSeq(): number {
    let oldest = Infinity;
    for (const { keys } of this.#lines.values()) {
      for (const { list } of keys.values()) {
        for (let rank = 0; rank < rankCount; rank++) {
          const head = list.headOf(rank);
          if (head !== undefined) oldest = Math.min(oldest, this.#tasks.seq[head] ?? Infinity);
        }
      }
    }
    return oldest === Infinity ? 0 : oldest;
  }

  /** The line for tasks of a constraint, if there are or were any lately. */
  lineOf(constraint: Constraint): Line | undefined {
    return this.#lines.get(constraint.signature);
  }

  push(row: TaskRow, options: { rank: number; key: string; constraint: Constraint }, undo: UndoLog): void {
    const { rank, key, constraint } = options;
    const line = this.#line(constraint);
    const wasEmpty = line.length === 0;
    this.#keyTasks(line, key).list.insert(row, rank, undo);
    // Whoever set the line apart knew other tasks: it is looked at anew if there was none, or if this one goes ahead.
    if (wasEmpty || (line.heap === undefined && rank < (line.entry?.rank ?? rankCount))) this.reopen(line, undo);
    else if (line.heap === this.#open) this.#events.opened(this);
  }

  /** The line whose task is next, of those that may go on. */
  get first(): Line | undefined {
    return this.#open.first;
  }

  /** Of the lines that wait for a worker, the first that this one could take a task of. */
  firstFor(worker: PlannerWorker): Line | undefined {
    return this.#index.firstFor(worker);
  }

  /** After a task of the line's next key was chosen, and before it leaves: the other keys of its rank go first now. */
  passTurn(line: Line): void {
    line.passTurn(this.#turns);
  }

  /** The line may go on. It keeps its place among those that wait for a limit. */
  reopen(line: Line, undo: UndoLog): void {
    this.#place(line, this.#open, undo);
    this.#events.opened(this);
  }

  /** No worker can take its next task: none of those that have no more room than before. */
  awaitWorker(line: Line, undo: UndoLog): void {
    this.leaveLimit(line, undo);
    this.#place(line, this.#index.placeFor(line), undo);
  }

  /** Its next task has no units: it stands in the line of a limit. */
  awaitUnits(line: Line, undo: UndoLog): void {
    this.#place(line, undefined, undo);
  }

  leaveLimit(line: Line, undo: UndoLog): void {
    const { entry, claims } = line;
    if (entry === undefined) return;
    undo.set(line, 'entry', undefined);
    if (claims.length > 0) undo.set(line, 'claims', noClaims);
    for (const each of [entry, ...claims]) {
      each.limit.dismiss(each);
      undo.keep(dismissed, each, undefined);
      this.#events.limitChanged(each.limit);
    }
  }

  /** Forgets keys and lines that nobody waits in. Only after a commit: an undo may need them. */
  tidy(): void {
    for (const [{ list, queueKey }, line] of this.#emptied) {
      if (list.length > 0) continue;
      this.#lists.drop(list);
      line.forget(queueKey.key);
      if (--queueKey.uses === 0) this.#keys.delete(queueKey.key);
      if (line.keys.size > 0) continue;
      line.heap?.remove(line);
      this.#lines.delete(line.constraint.signature);
    }
    this.#emptied.clear();
    this.#index.tidy();
  }

  readonly #placed: Restore<Line, LineHeap | undefined> = { restore: (line, before) => this.#move(line, before) };

  #place(line: Line, heap: LineHeap | undefined, undo: UndoLog): void {
    const before = line.heap;
    if (before === heap) return;
    this.#move(line, heap);
    undo.keep(this.#placed, line, before);
  }

  #move(line: Line, heap: LineHeap | undefined): void {
    line.heap?.remove(line);
    if (line.heap === undefined) this.waitingForUnits -= line.length;
    line.heap = heap;
    heap?.add(line);
    if (heap === undefined) this.waitingForUnits += line.length;
  }

  #line(constraint: Constraint): Line {
    const known = this.#lines.get(constraint.signature);
    if (known !== undefined) return known;
    const made = new Line(this, constraint, this.#tasks);
    made.heap = this.#open;
    this.#lines.set(constraint.signature, made);
    return made;
  }

  #keyTasks(line: Line, name: string): KeyTasks {
    const known = line.keys.get(name);
    if (known !== undefined) return known;
    let queueKey = this.#keys.get(name);
    if (queueKey === undefined) {
      queueKey = new QueueKey(name);
      this.#keys.set(name, queueKey);
    }
    queueKey.uses++;
    // Whoever moves a task, the planner or an undo: what is counted here stays true.
    const made: KeyTasks = {
      queueKey,
      list: this.#lists.create((rank, by, row, undo) => this.#changed(line, made, { rank, by, row, undo })),
      ranks: [],
    };
    line.keys.set(name, made);
    return made;
  }

  #changed(
    line: Line,
    tasks: KeyTasks,
    { rank, by, row, undo }: { rank: number; by: 1 | -1; row: TaskRow; undo: UndoLog | undefined },
  ): void {
    const { queueKey } = tasks;
    const { counts } = queueKey;
    this.length += by;
    line.length += by;
    if (line.heap === undefined) this.waitingForUnits += by;
    const count = (counts[rank] ?? 0) + by;
    counts[rank] = count;
    if (by === 1) {
      if (count === 1) this.#turns.give(queueKey, rank);
      line.offer(tasks, rank);
      line.heap?.grown(line);
      return;
    }
    if (tasks.list.length === 0) {
      this.#emptied.set(tasks, line);
      if (this.#emptied.size >= tidyAt) this.#events.outgrown(this);
    }
    // The task that the line waited for is gone, or goes: the next one asks for itself.
    if (undo === undefined || line.entry?.row !== row) return;
    this.leaveLimit(line, undo);
    if (line.heap === undefined) this.reopen(line, undo);
  }
}

const dismissed: Restore<LimitEntry> = { restore: (entry) => entry.limit.enlist(entry) };
