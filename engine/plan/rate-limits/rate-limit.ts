import type { RateLimitWindow } from '../../model/definition.ts';
import { windowMicros } from '../../model/time/window-lengths.ts';
import type { RateLimitRow } from '../../model/stored-rows.ts';
import { IndexedHeap } from '../state/lists/indexed-heap.ts';
import type { RankedList } from '../state/lists/ranked-list.ts';
import type { UndoLog } from '../state/undo-log.ts';
import { type Line, type LimitEntry } from '../queue/line.ts';
import { asksBefore } from '../queue/task-order.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** Keys in memory, over which those whose window is over and that nobody waits for are forgotten. */
export const sweepAt = 10_000;

/** An entry of the timers for refills. The one that its limit names counts. */
export interface Refill {
  readonly limit: RateLimit;
  readonly dueUs: number;
}

/** The units of one key in its present window. A window begins with the first task after the last one was over. */
export class RateLimit {
  readonly tenantId: TenantId;
  readonly key: string;
  /** What a full window holds from the next refill on. */
  limit: number;
  window: RateLimitWindow;
  /** What this window holds: a lowered limit counts at once, a raised one at the refill. */
  windowLimit: number;
  windowStartUs: number;
  used: number;
  /** Until then nobody gets units; a time of the past for no pause. */
  pausedUntilUs: number;
  /** Put by its key. The others come into being with the tasks that ask for them. */
  isStatic: boolean;
  /** Lines that wait for units, by the tasks that asked for them: in this order they get them. */
  readonly #lines = new IndexedHeap<LimitEntry>(asksBefore);
  /** Lines whose next task asks more than a full window holds, the most modest first. */
  readonly #tooLargeLines = new IndexedHeap<LimitEntry>((a, b) => a.units < b.units);
  /** Tasks of batch steps without units: a batch is made of whoever has them, so these leave their buffers one by one. */
  readonly waiting: RankedList;
  /** Tasks of batch steps that ask more than a full window holds. */
  readonly tooLarge: RankedList;
  /** When its refill is looked at. */
  refill: Refill | undefined;

  constructor(options: {
    tenantId: TenantId;
    key: string;
    limit: number;
    window: RateLimitWindow;
    windowLimit: number;
    windowStartUs: number;
    used: number;
    pausedUntilUs: number;
    isStatic: boolean;
    waiting: RankedList;
    tooLarge: RankedList;
  }) {
    this.tenantId = options.tenantId;
    this.key = options.key;
    this.limit = options.limit;
    this.window = options.window;
    this.windowLimit = options.windowLimit;
    this.windowStartUs = options.windowStartUs;
    this.used = options.used;
    this.pausedUntilUs = options.pausedUntilUs;
    this.isStatic = options.isStatic;
    this.waiting = options.waiting;
    this.tooLarge = options.tooLarge;
  }

  /** Who is next to get units. */
  get firstLine(): LimitEntry | undefined {
    return this.#lines.first;
  }

  /** As `firstLine`, apart from the line that asks. */
  firstLineBut(line: Line): LimitEntry | undefined {
    const { first, items } = this.#lines;
    if (first?.line !== line) return first;
    const [, left, right] = items;
    if (left === undefined || right === undefined) return left;
    return asksBefore(left, right) ? left : right;
  }

  /** The most modest of those that ask more than a full window holds. */
  get firstTooLarge(): LimitEntry | undefined {
    return this.#tooLargeLines.first;
  }

  get hasLines(): boolean {
    return this.#lines.size > 0;
  }

  /** Nobody waits for it. */
  get isIdle(): boolean {
    return this.#lines.size + this.#tooLargeLines.size + this.waiting.length + this.tooLarge.length === 0;
  }

  enlist(entry: LimitEntry): void {
    (entry.isTooLarge ? this.#tooLargeLines : this.#lines).add(entry);
  }

  dismiss(entry: LimitEntry): void {
    (entry.isTooLarge ? this.#tooLargeLines : this.#lines).remove(entry);
  }

  /** Tasks that wait for its units. */
  get waitingCount(): number {
    return this.waiting.length + count(this.#lines.items);
  }

  /** Tasks that ask more than a full window holds, and those behind them. */
  get tooLargeCount(): number {
    return this.tooLarge.length + count(this.#tooLargeLines.items);
  }

  /** Not one that was deleted, or that tasks name and nobody has put: those hold nothing. */
  get exists(): boolean {
    return this.isStatic || this.limit > 0;
  }

  get refillAtUs(): number {
    return this.windowStartUs + windowMicros[this.window];
  }

  isOver(nowUs: number): boolean {
    return nowUs >= this.refillAtUs;
  }

  isPaused(nowUs: number): boolean {
    return nowUs < this.pausedUntilUs;
  }

  /** When whoever waits for it is to be looked at next. */
  nextLookUs(nowUs: number): number {
    return this.isPaused(nowUs) ? this.pausedUntilUs : this.refillAtUs;
  }

  /** Units that are free at this time. */
  left(nowUs: number): number {
    if (this.isPaused(nowUs)) return 0;
    return this.isOver(nowUs) ? this.limit : Math.max(this.windowLimit - this.used, 0);
  }

  /** A lower limit holds at once, a higher one from the next refill on. */
  resize(limit: number, window: RateLimitWindow, undo: UndoLog): void {
    undo.assign<RateLimit>(this, { limit, window, windowLimit: Math.min(this.windowLimit, limit) });
  }

  /** A task takes units of it after its window was over: the next one begins, full. */
  refillAt(nowUs: number, undo: UndoLog): void {
    undo.assign<RateLimit>(this, { windowStartUs: nowUs, used: 0, windowLimit: this.limit });
  }

  row(): RateLimitRow {
    const { tenantId, key, limit, window, windowLimit, windowStartUs, used, isStatic, pausedUntilUs } = this;
    return { tenantId, key, limit, window, windowLimit, windowStartUs, used, isStatic, pausedUntilUs };
  }
}

function count(entries: readonly LimitEntry[]): number {
  let tasks = 0;
  for (const { line } of entries) if (line.heap === undefined) tasks += line.length;
  return tasks;
}
