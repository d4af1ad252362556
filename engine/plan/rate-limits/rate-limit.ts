import type { RateLimitWindow } from '../../model/definition.ts';
import { windowMicros } from '../../model/rate-window.ts';
import type { RateLimitRow } from '../../model/rows.ts';
import type { RankedList } from '../state/ranked-list.ts';

/** Keys in memory, over which those whose window is over and that nobody waits for are forgotten. */
export const sweepAt = 10_000;

/** The units of one key in its present window. A window begins with the first task after the last one was over. */
export class RateLimit {
  readonly tenantId: string;
  readonly key: string;
  /** What a full window holds from the next refill on. */
  limit: number;
  window: RateLimitWindow;
  /** What this window holds: a lowered limit counts at once, a raised one at the refill. */
  windowLimit: number;
  windowStartUs: number;
  used: number;
  /** Put by its key. The others come into being with the tasks that ask for them. */
  isStatic: boolean;
  /** Tasks without units, in the order in which they will get them: later ones on the key stand behind them. */
  readonly waiting: RankedList;
  /** Tasks that ask more than a full window holds. They hold up nobody. */
  readonly tooLarge: RankedList;

  constructor(options: {
    tenantId: string;
    key: string;
    limit: number;
    window: RateLimitWindow;
    windowLimit: number;
    windowStartUs: number;
    used: number;
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
    this.isStatic = options.isStatic;
    this.waiting = options.waiting;
    this.tooLarge = options.tooLarge;
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

  /** Units that are free at this time. */
  left(nowUs: number): number {
    return this.isOver(nowUs) ? this.limit : Math.max(this.windowLimit - this.used, 0);
  }

  row(): RateLimitRow {
    const { tenantId, key, limit, window, windowLimit, windowStartUs, used, isStatic } = this;
    return { tenantId, key, limit, window, windowLimit, windowStartUs, used, isStatic };
  }
}
