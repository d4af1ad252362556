import type { ConcurrencyStrategy } from '../../model/definition.ts';
import type { RankedList } from '../state/ranked-list.ts';

/** One key of one concurrency strategy: who has arrived, who holds its places, who waits for one. */
export class ConcurrencyGroup {
  /** Tenant, strategy and key. */
  readonly id: string;
  readonly key: string;
  /** By the claim that was made last: a new version may declare another. */
  strategy: ConcurrencyStrategy;
  /** Places, by the claim that was made last. */
  maxRuns: number;
  /** The trigger order of the claim that set maxRuns. */
  maxRunsFrom: number;
  /** Claims that arrived and have not ended: those that hold a place, and those that wait. */
  readonly members = new Set<Claim>();
  /** Claims that name the group, arrived or not: it lives as long as any does. */
  claims = 0;
  held = 0;
  /** Tasks that this group's places hold up. A task that several groups hold up stands with the first. */
  readonly waiting: RankedList;

  constructor(options: {
    id: string;
    key: string;
    strategy: ConcurrencyStrategy;
    maxRuns: number;
    maxRunsFrom: number;
    waiting: RankedList;
  }) {
    this.id = options.id;
    this.key = options.key;
    this.strategy = options.strategy;
    this.maxRuns = options.maxRuns;
    this.maxRunsFrom = options.maxRunsFrom;
    this.waiting = options.waiting;
  }

  get isFull(): boolean {
    return this.held >= this.maxRuns;
  }
}

/** What asks for places as one: a task, or a run for its workflow's links. All of its groups must admit it, at once. */
export class Claim {
  readonly level: 'run' | 'task';
  readonly groups: readonly ConcurrencyGroup[];
  /** 1–3. */
  readonly priority: number;
  /** Order of the triggers; a retry keeps it. */
  readonly order: number;
  /** Rows of the tasks that it speaks for. */
  readonly rows = new Set<number>();
  /** Judged by the cancelling strategies, and counted as a member. */
  arrived = false;
  /** Has a place in each of its groups. */
  held = false;

  constructor(options: {
    level: 'run' | 'task';
    groups: readonly ConcurrencyGroup[];
    priority: number;
    order: number;
  }) {
    this.level = options.level;
    this.groups = options.groups;
    this.priority = options.priority;
    this.order = options.order;
  }
}

/** Who stays under CANCEL_IN_PROGRESS: higher priority first, then the newest trigger. */
export function outranks(a: Claim, b: Claim): boolean {
  return a.priority === b.priority ? a.order > b.order : a.priority > b.priority;
}
