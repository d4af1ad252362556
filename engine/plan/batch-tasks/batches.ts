import type { BatchRule } from '../../model/definition.ts';
import type { ActionQueue } from '../queue/action-queue.ts';
import { BatchBuffer, BatchGroup, type RunningBatch } from './batch-buffer.ts';
import { FlushableBuffers } from './flushable-buffers.ts';
import type { Placement } from '../queue/placement.ts';
import type { TaskLists } from '../state/table/task-lists.ts';
import { TimerHeap } from '../timers/timer-heap.ts';
import type { Restore, UndoLog } from '../state/undo-log.ts';
import type { TaskRow } from '../state/table/rows.ts';

/** The interval of a buffer's oldest member. A buffer has one entry that counts at most. */
interface FlushTimer {
  readonly buffer: BatchBuffer;
  readonly dueUs: number;
}

interface TimerState {
  timer: FlushTimer | null;
  /** Up to when intervals that are over have been announced. */
  announcedUs: number;
}

/** What a buffer gathers. */
export interface BufferSource {
  workflowId: string;
  versionId: string;
  stepName: string;
  rule: BatchRule;
  queue: ActionQueue;
  key: string;
  placement: Placement;
}

/** All that gathers and all that runs in batches, of one shard. */
export class Batches {
  readonly groups = new Map<string, BatchGroup>();
  /** By task row, the batch that it runs in. */
  readonly ofRow = new Map<TaskRow, RunningBatch>();
  /** Those that may be empty, to be forgotten after the commit. */
  readonly #idle = new Set<BatchGroup>();
  readonly #flushable = new WeakMap<ActionQueue, FlushableBuffers>();
  readonly #timerStates = new WeakMap<BatchBuffer, TimerState>();
  readonly #timers = new TimerHeap<FlushTimer>((entry) => this.#timerOf(entry.buffer).timer === entry);
  readonly #lists: TaskLists;
  readonly #bytesOf: (row: TaskRow) => number;
  readonly #sinceOf: (row: TaskRow) => number;

  constructor(options: { lists: TaskLists; bytesOf: (row: TaskRow) => number; sinceOf: (row: TaskRow) => number }) {
    this.#lists = options.lists;
    this.#bytesOf = options.bytesOf;
    this.#sinceOf = options.sinceOf;
  }

  /** When the next interval is over. */
  get nextUs(): number {
    return this.#timers.nextUs;
  }

  /** The buffers of an action that may be able to go. */
  flushable(queue: ActionQueue): FlushableBuffers {
    let buffers = this.#flushable.get(queue);
    if (buffers === undefined) {
      buffers = new FlushableBuffers();
      this.#flushable.set(queue, buffers);
    }
    return buffers;
  }

  groupFor({ workflowId, stepName, key }: Pick<BufferSource, 'workflowId' | 'stepName' | 'key'>): BatchGroup {
    const id = `${workflowId}/${stepName} ${key}`;
    let group = this.groups.get(id);
    if (group === undefined) {
      group = new BatchGroup(id, key);
      this.groups.set(id, group);
      this.#idle.add(group);
    }
    return group;
  }

  bufferFor(source: BufferSource): BatchBuffer {
    const { rule, queue, placement } = source;
    const group = this.groupFor(source);
    const name = `${source.versionId} ${placement.signature}`;
    const known = group.buffers.get(name);
    if (known !== undefined) return known;
    // Whoever moves a task, the planner or an undo: what is counted here stays true.
    const list = this.#lists.create((_rank, by, row) => {
      buffer.bytes += by * this.#bytesOf(row);
      queue.gathering += by;
      this.#changed(buffer);
    });
    const buffer = new BatchBuffer({ group, rule, queue, placement, list, sinceOf: this.#sinceOf });
    group.buffers.set(name, buffer);
    return buffer;
  }

  /** A batch of the group ended, or did not begin after all: the key's buffers may go. */
  released(group: BatchGroup): void {
    for (const buffer of group.buffers.values()) this.flushable(buffer.queue).offer(buffer);
    if (group.running.size === 0) this.#idle.add(group);
  }

  /** Actions with batches whose interval is over. They are announced again if the transaction is taken back. */
  takeDue(nowUs: number, undo: UndoLog): ActionQueue[] {
    const due = this.#timers.takeDue(nowUs, Infinity);
    for (const entry of due) {
      const state = this.#timerOf(entry.buffer);
      undo.keep(this.#announced, entry, state.announcedUs);
      Object.assign(state, { timer: null, announcedUs: nowUs });
      this.flushable(entry.buffer.queue).offer(entry.buffer);
      this.#arm(entry.buffer);
    }
    return due.map(({ buffer }) => buffer.queue);
  }

  readonly #announced: Restore<FlushTimer, number> = {
    restore: (entry, announcedUs) => {
      Object.assign(this.#timerOf(entry.buffer), { timer: entry, announcedUs });
      this.#timers.push(entry);
    },
  };

  /** Forgets what nobody gathers or runs in. Only after a commit: an undo may need it. */
  sweep(): void {
    for (const group of this.#idle) {
      for (const [name, buffer] of group.buffers) {
        if (buffer.list.length > 0) continue;
        group.buffers.delete(name);
        this.#lists.drop(buffer.list);
      }
      if (group.buffers.size + group.running.size === 0) this.groups.delete(group.id);
    }
    this.#idle.clear();
    this.#timers.tidy();
  }

  #changed(buffer: BatchBuffer): void {
    if (buffer.list.length === 0) {
      this.#timerOf(buffer).timer = null;
      this.#idle.add(buffer.group);
      return;
    }
    this.flushable(buffer.queue).offer(buffer);
    this.#arm(buffer);
  }

  #arm(buffer: BatchBuffer): void {
    const state = this.#timerOf(buffer);
    const dueUs = buffer.flushAtUs;
    // Over and announced: its next member's interval matters once the oldest has left.
    if (dueUs === Infinity || dueUs <= state.announcedUs) state.timer = null;
    else if (state.timer === null || state.timer.dueUs > dueUs) {
      state.timer = { buffer, dueUs };
      this.#timers.push(state.timer);
    }
  }

  #timerOf(buffer: BatchBuffer): TimerState {
    let state = this.#timerStates.get(buffer);
    if (state === undefined) {
      state = { timer: null, announcedUs: 0 };
      this.#timerStates.set(buffer, state);
    }
    return state;
  }
}
