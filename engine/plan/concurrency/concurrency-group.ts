import type { ConcurrencyStrategy } from '../../model/definition.ts';
import type { RankedList } from '../state/lists/ranked-list.ts';
import { SortedList } from '../state/lists/sorted-list.ts';
import type { UndoLog } from '../state/undo-log.ts';
import type { TaskRow } from '../state/table/rows.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** One key of one concurrency strategy: who has arrived, who holds its places, who waits for one. */
export class ConcurrencyGroup {
  /** Tenant, strategy and key. */
  readonly id: string;
  readonly tenantId: TenantId;
  readonly strategyId: string;
  readonly key: string;
  /** By the request that was made last: a new version may declare another. */
  strategy: ConcurrencyStrategy;
  /** Places, by the request that was made last. */
  maxRuns: number;
  /** The trigger order of the request that set maxRuns. */
  maxRunsFrom: number;
  /** Requests that arrived and have not ended: those that hold a place, and those that wait. */
  readonly #members = new Set<PlaceRequest>();
  /** Who stays under CANCEL_IN_PROGRESS, best first. Made when it is first asked for. */
  #byMerit: SortedList<PlaceRequest> | undefined;
  /** Members without a place, oldest first. Made when it is first asked for. */
  #placeless: SortedList<PlaceRequest> | undefined;
  /** Requests that name the group, arrived or not: it lives as long as any does. */
  requests = 0;
  held = 0;
  /** The line of those that this group's places hold up. A task that several groups hold up stands with the first. */
  readonly waiting: RankedList;

  constructor(options: {
    id: string;
    tenantId: TenantId;
    strategyId: string;
    key: string;
    strategy: ConcurrencyStrategy;
    maxRuns: number;
    maxRunsFrom: number;
    waiting: RankedList;
  }) {
    this.id = options.id;
    this.tenantId = options.tenantId;
    this.strategyId = options.strategyId;
    this.key = options.key;
    this.strategy = options.strategy;
    this.maxRuns = options.maxRuns;
    this.maxRunsFrom = options.maxRunsFrom;
    this.waiting = options.waiting;
  }

  /**
   * The newest request by trigger sets the key's places and strategy, for those that came before it too: an older one, such as
   * a retry's, changes nothing. @returns whether there are more places than before
   */
  declare(link: { maxRuns: number; strategy: ConcurrencyStrategy }, order: number, undo: UndoLog): boolean {
    if (order <= this.maxRunsFrom) return false;
    const { maxRuns } = this;
    undo.assign<ConcurrencyGroup>(this, { maxRuns: link.maxRuns, maxRunsFrom: order, strategy: link.strategy });
    return link.maxRuns > maxRuns;
  }

  get isFull(): boolean {
    return this.held >= this.maxRuns;
  }

  get members(): ReadonlySet<PlaceRequest> {
    return this.#members;
  }

  get byMerit(): SortedList<PlaceRequest> {
    return (this.#byMerit ??= new SortedList<PlaceRequest>(this.#members, compareMerit));
  }

  get placeless(): SortedList<PlaceRequest> {
    return (this.#placeless ??= new SortedList<PlaceRequest>(
      [...this.#members].filter((request) => !request.held),
      compareOrder,
    ));
  }

  /** `request.arrived` and `request.held` are the caller's to write, before. */
  join(request: PlaceRequest): void {
    this.#members.add(request);
    this.#byMerit?.add(request);
    if (request.held) this.held++;
    else this.#placeless?.add(request);
  }

  /** @param held whether it held a place */
  leave(request: PlaceRequest, held: boolean): void {
    this.#members.delete(request);
    this.#byMerit?.delete(request);
    if (held) this.held--;
    else this.#placeless?.delete(request);
  }

  /** A member gets its place. */
  give(request: PlaceRequest): void {
    this.held++;
    this.#placeless?.delete(request);
  }

  /** Undoes `give`. */
  takeBack(request: PlaceRequest): void {
    this.held--;
    this.#placeless?.add(request);
  }
}

const ofRun = 4;
const hasArrived = 8;
const isHeld = 16;

/** What asks for places as one: a task, or a run for its workflow's links. All of its groups must admit it, at once. */
export class PlaceRequest {
  readonly groups: readonly ConcurrencyGroup[];
  /** Order of the triggers; a retry keeps it. */
  readonly order: number;
  /** Nearly always one row, and then no Set: that alone took 200 bytes a task. */
  #rows: TaskRow | Set<TaskRow> | undefined;
  /** Priority, and the flags below: four members of their own took 24 bytes more a task. */
  #bits: number;

  constructor(options: {
    level: 'run' | 'task';
    groups: readonly ConcurrencyGroup[];
    priority: number;
    order: number;
  }) {
    this.groups = options.groups;
    this.order = options.order;
    this.#bits = options.priority | (options.level === 'run' ? ofRun : 0);
  }

  get level(): 'run' | 'task' {
    return (this.#bits & ofRun) === 0 ? 'task' : 'run';
  }

  /** 1–3. */
  get priority(): number {
    return this.#bits & 3;
  }

  /** Judged by the cancelling strategies, and counted as a member. */
  get arrived(): boolean {
    return (this.#bits & hasArrived) !== 0;
  }

  set arrived(value: boolean) {
    this.#bits = value ? this.#bits | hasArrived : this.#bits & ~hasArrived;
  }

  /** Has a place in each of its groups. */
  get held(): boolean {
    return (this.#bits & isHeld) !== 0;
  }

  set held(value: boolean) {
    this.#bits = value ? this.#bits | isHeld : this.#bits & ~isHeld;
  }

  /** Rows of the tasks that it speaks for. */
  get rows(): readonly TaskRow[] {
    if (typeof this.#rows === 'object') return [...this.#rows];
    return this.#rows === undefined ? [] : [this.#rows];
  }

  get isUnused(): boolean {
    return typeof this.#rows === 'object' ? this.#rows.size === 0 : this.#rows === undefined;
  }

  addRow(row: TaskRow): void {
    if (typeof this.#rows === 'object') this.#rows.add(row);
    else if (this.#rows === undefined) this.#rows = row;
    else this.#rows = new Set([this.#rows, row]);
  }

  deleteRow(row: TaskRow): void {
    if (typeof this.#rows === 'object') this.#rows.delete(row);
    else if (this.#rows === row) this.#rows = undefined;
  }
}

/** Who stays under CANCEL_IN_PROGRESS: higher priority first, then the newest trigger. */
function compareMerit(a: PlaceRequest, b: PlaceRequest): number {
  return b.priority - a.priority || b.order - a.order;
}

export function outranks(a: PlaceRequest, b: PlaceRequest): boolean {
  return compareMerit(a, b) < 0;
}

function compareOrder(a: PlaceRequest, b: PlaceRequest): number {
  return a.order - b.order;
}
