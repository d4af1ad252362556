import type { HatchetError } from '../base/errors.ts';
import { processHost, type Host, type HostTimer } from '../base/host.ts';
import { longestWaitMs, maybeStored, movedAway, noOwner } from '../base/not-owner.ts';
import { Neighbours } from '../base/neighbours.ts';
import { groupBy } from '../model/group-by.ts';
import { TenantLines } from './tenant-lines.ts';
import type { Job } from './job.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

/** Where shards are. */
export interface Whereabouts {
  /** Here. */
  isServed(shard: number): boolean;
  /** With another engine, which takes calls. */
  isElsewhere(shard: number): boolean;
}

/**
 * The commands that wait: those whose shard is served stand in lines, for their transactions; those of shards that nobody serves
 * are parked by shard until this process does, and refused after 30 s, or as soon as another engine has the shard. Nothing
 * turns while commands are only parked.
 */
export class Mailbox {
  readonly #shards: Whereabouts;
  readonly #awakeMs: () => number;
  readonly #host: Host;
  readonly #lines = new TenantLines();
  readonly #parked = new Map<number, Job[]>();
  readonly #neighbours = new Neighbours<TenantId>();
  #timer: HostTimer | undefined;
  #emptied: (() => void)[] = [];

  /** @param awakeMs the clock by which commands wait: it stands still while the process does, so that none is refused for that */
  constructor(shards: Whereabouts, awakeMs: () => number = () => performance.now(), host: Host = processHost) {
    this.#shards = shards;
    this.#awakeMs = awakeMs;
    this.#host = host;
  }

  /** How many commands wait. */
  get size(): number {
    let parked = 0;
    for (const jobs of this.#parked.values()) parked += jobs.length;
    return this.#lines.size + parked;
  }

  /** About how many rows those that stand in line will write. */
  get rows(): number {
    return this.#lines.rows;
  }

  /** Whether a transaction would have something to do. */
  has(isReady: (job: Job) => boolean): boolean {
    return this.#lines.some(isReady);
  }

  /** The commands of the next transaction; those that are not ready stay. */
  take(isReady: (job: Job) => boolean): Job[] {
    const taken = this.#lines.take(isReady, this.isShared);
    const nowMs = this.#awakeMs();
    for (const { tenantId } of taken) if (tenantId !== undefined) this.#neighbours.seen(tenantId, nowMs);
    return taken;
  }

  /** Something is done for the tenant, whether it has sent anything lately or has long waited. */
  noteWork(tenantId: TenantId): void {
    this.#neighbours.seen(tenantId, this.#awakeMs());
  }

  /** Something has been done for several tenants lately: none of them takes a transaction for itself. */
  get isShared(): boolean {
    return this.#neighbours.areSeveral(this.#awakeMs());
  }

  /** Those of the given that wait, to be put back later. */
  takeOut(jobs: ReadonlySet<Job>): Job[] {
    return this.#lines.takeOut((job) => jobs.has(job));
  }

  add(job: Job): void {
    if (this.#shards.isServed(job.shard)) this.#lines.push(job);
    else this.#park([job], 'behind');
  }

  /** Ahead of what waits already. */
  addFirst(job: Job): void {
    if (this.#shards.isServed(job.shard)) this.#lines.putBack([job]);
    else this.#park([job], 'ahead');
  }

  /** Back at the head, in this order. */
  putBack(jobs: readonly Job[]): void {
    if (jobs.length === 0) return;
    this.#lines.putBack(jobs.filter((job) => this.#shards.isServed(job.shard)));
    this.#parkLost(
      jobs.filter((job) => !this.#shards.isServed(job.shard)),
      'ahead',
    );
  }

  /** Their commands stand in line. */
  served(shards: readonly number[]): void {
    for (const shard of shards) {
      for (const job of this.#parked.get(shard) ?? []) this.#lines.push(job);
      this.#parked.delete(shard);
    }
    this.#arm();
    this.#tellEmptied();
  }

  /** What stood in line for a shard that is not served any more waits for whoever serves it next. */
  park(): void {
    this.#parkLost(
      this.#lines.takeOut(({ shard }) => !this.#shards.isServed(shard)),
      'behind',
    );
  }

  /** Refuses those whose shards other engines have. */
  refuseMoved(): void {
    for (const [shard, jobs] of this.#parked) {
      if (!this.#shards.isElsewhere(shard)) continue;
      this.#parked.delete(shard);
      refuseElsewhere(jobs);
    }
    this.#arm();
    this.#tellEmptied();
  }

  /** Refuses those that have waited for too long. */
  expire(): void {
    const oldest = this.#awakeMs() - longestWaitMs;
    if (this.#lines.waitsSince(oldest)) refuseUnserved(this.#lines.takeOut((job) => job.queuedAtMs <= oldest));
    for (const [shard, jobs] of this.#parked) {
      const left = this.#refuseOld(jobs, oldest);
      if (left.length === 0) this.#parked.delete(shard);
      else this.#parked.set(shard, left);
    }
    this.#arm();
    this.#tellEmptied();
  }

  /** Resolves once none is parked. */
  async noneParked(): Promise<void> {
    if (this.#parked.size > 0) await new Promise<void>((resolve) => this.#emptied.push(resolve));
  }

  get hasParked(): boolean {
    return this.#parked.size > 0;
  }

  /** Refuses those that wait for a shard. */
  refuseParked(error: HatchetError): void {
    for (const jobs of this.#parked.values()) refuse(jobs, error);
    this.#parked.clear();
    this.#arm();
    this.#tellEmptied();
  }

  /** Refuses all. */
  refuseAll(error: HatchetError): void {
    this.refuseParked(error);
    refuse(
      this.#lines.takeOut(() => true),
      error,
    );
  }

  /** Their callers may have turned to whoever had the shard meanwhile. */
  #parkLost(jobs: readonly Job[], where: 'ahead' | 'behind'): void {
    for (const job of jobs) job.mayBeDone = true;
    this.#park(jobs, where);
  }

  #park(jobs: readonly Job[], where: 'ahead' | 'behind'): void {
    for (const [shard, those] of groupBy(jobs, (job) => job.shard)) {
      if (this.#shards.isElsewhere(shard)) {
        refuseElsewhere(those);
        continue;
      }
      const before = this.#parked.get(shard);
      if (before === undefined) this.#parked.set(shard, those);
      else if (where === 'ahead') this.#parked.set(shard, [...those, ...before]);
      else for (const job of those) before.push(job);
    }
    this.#arm();
  }

  #refuseOld(jobs: Job[], oldest: number): Job[] {
    const [first] = jobs;
    if (first === undefined || first.queuedAtMs > oldest) return jobs;
    refuseUnserved(jobs.filter((job) => job.queuedAtMs <= oldest));
    return jobs.filter((job) => job.queuedAtMs > oldest);
  }

  /** One timer, for the oldest that is parked. */
  #arm(): void {
    if (this.#parked.size === 0) {
      this.#timer?.clear();
      this.#timer = undefined;
      return;
    }
    if (this.#timer !== undefined) return;
    const first = Math.min(...[...this.#parked.values()].map(([job]) => job?.queuedAtMs ?? Infinity));
    const inMs = Math.max(first + longestWaitMs - this.#awakeMs(), 0) + 1;
    this.#timer = this.#host.setTimeout(() => {
      this.#timer = undefined;
      this.expire();
    }, inMs);
  }

  #tellEmptied(): void {
    if (this.#parked.size > 0) return;
    for (const tell of this.#emptied.splice(0)) tell();
  }
}

function refuse(jobs: readonly Job[], error: HatchetError): void {
  for (const job of jobs) job.reject(error);
}

function refuseElsewhere(jobs: readonly Job[]): void {
  for (const job of jobs) job.reject(job.isFateUnknown ? maybeStored() : movedAway());
}

/** One that may be stored is not to be taken for one of which nothing was carried out: it would be passed on, and done twice. */
function refuseUnserved(jobs: readonly Job[]): void {
  for (const job of jobs) {
    const error = noOwner();
    job.reject(job.isFateUnknown ? maybeStored(error.message) : error);
  }
}
