import type { TenantId } from '../../model/ids/tenant-id.ts';

/** A cron or a scheduled run, with the time at which it is due. */
export interface Timer {
  readonly kind: 'cron' | 'schedule';
  readonly id: string;
  readonly tenantId: TenantId;
  readonly workflowId: string;
  readonly dueUs: number;
}

/** What it takes to say whether it is still due. */
export type TimerRef = Pick<Timer, 'kind' | 'id' | 'tenantId' | 'dueUs'>;

/** Entries up to which nobody looks for those that are not true any more. */
const fewest = 1024;

/**
 * What is due at some time, soonest first. An entry that is not true any more is passed over when its time comes: entries
 * are replaced, never changed, so that an undo puts the old one back and both are judged by what is true then.
 */
export class TimerHeap<Entry extends { readonly dueUs: number } = Timer> {
  #heap: Entry[] = [];
  #tidyAt = fewest;
  readonly #isCurrent: (entry: Entry) => boolean;

  constructor(isCurrent: (entry: Entry) => boolean) {
    this.#isCurrent = isCurrent;
  }

  get first(): Entry | undefined {
    this.#dropStale();
    return this.#heap[0];
  }

  get nextUs(): number {
    return this.first?.dueUs ?? Infinity;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Lets go of what is not true any more. */
  compact(): void {
    const current = this.#heap.filter((entry) => this.#isCurrent(entry));
    this.#heap = [];
    for (const entry of current) this.push(entry);
    this.#tidyAt = Math.max(fewest, current.length * 2);
  }

  /** As `compact`, once there may be as many that are not true as there are others. Only after a commit: an undo puts entries back before they are true again. */
  tidy(): void {
    if (this.#heap.length >= this.#tidyAt) this.compact();
  }

  push(entry: Entry): void {
    this.#heap.push(entry);
    let at = this.#heap.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#due(parent) <= this.#due(at)) break;
      this.#swap(parent, at);
      at = parent;
    }
  }

  /** Takes out those that are due. */
  takeDue(nowUs: number, most: number): Entry[] {
    const due: Entry[] = [];
    while (due.length < most && this.nextUs <= nowUs) {
      const entry = this.#pop();
      if (entry !== undefined) due.push(entry);
    }
    return due;
  }

  #dropStale(): void {
    for (let first = this.#heap[0]; first !== undefined && !this.#isCurrent(first); first = this.#heap[0]) this.#pop();
  }

  #pop(): Entry | undefined {
    const [first] = this.#heap;
    const last = this.#heap.pop();
    if (first === undefined || last === undefined || this.#heap.length === 0) return first;
    this.#heap[0] = last;
    for (let at = 0; ;) {
      const left = at * 2 + 1;
      const child = this.#due(left + 1) < this.#due(left) ? left + 1 : left;
      if (this.#due(child) >= this.#due(at)) return first;
      this.#swap(child, at);
      at = child;
    }
  }

  #due(at: number): number {
    return this.#heap[at]?.dueUs ?? Infinity;
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (first === undefined || second === undefined) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }
}
