import type { ClientConfig } from 'pg';
import type { Clock } from '../../base/clock.ts';
import { delay, processHost, type Host, type HostTimer } from '../../base/host.ts';
import type { Logger } from '../../base/log.ts';
import { shardCount } from '../../model/ids/shard-of.ts';
import { newId } from '../../model/ids/uuid.ts';
import type { ShardState } from '../../plan/state/shard-state.ts';
import { wakingLimits, type WakingLimits } from '../../plan/state/waking-limits.ts';
import { postgresConnector, type Connector } from '../../postgres/sql-client.ts';
import { LeaseConnection } from './lease-connection.ts';
import { forgetLeases, renewLease } from './lease.ts';
import { acquireShards, lookForShards } from './take-free-shards.ts';
import { giveShardsBack } from './owned-shards.ts';
import { AcquiredShards, type ServedShard } from '../recovery/recover-acquired.ts';
import { ShardLife } from './shard-life.ts';

/** An owner without any connection is looked at again after this: one that reconnects is there by then. */
const secondLookMs = 250;
export interface OwnershipEvents {
  served(shards: readonly ServedShard[]): void;
  lost(states: readonly ShardState[]): void;
}

/** Which shards this process owns. Each is acquired, recovered, served and lost by itself. */
export class Ownership {
  readonly id = newId();
  readonly #lives = Array.from({ length: shardCount }, (_, id) => new ShardLife(id));
  readonly #log: Logger;
  readonly #events: OwnershipEvents;
  readonly #host: Host;
  readonly #graceMs: number;
  readonly #keeper: LeaseConnection;
  readonly #acquired: AcquiredShards;
  readonly #retries = new Set<HostTimer>();
  #stopped = false;

  constructor(options: {
    config: ClientConfig;
    clock: Clock;
    log: Logger;
    events: OwnershipEvents;
    /** A worker may be away for so long before it is lost. */
    graceMs: number;
    wakingLimits?: WakingLimits | undefined;
    host?: Host;
    connector?: Connector;
  }) {
    this.#log = options.log;
    this.#events = options.events;
    this.#graceMs = options.graceMs;
    this.#host = options.host ?? processHost;
    const connector = options.connector ?? postgresConnector;
    this.#keeper = new LeaseConnection({
      config: options.config,
      owner: this.id,
      log: options.log,
      onBeat: () => this.#beat(),
      host: this.#host,
      connector,
    });
    this.#acquired = new AcquiredShards({
      owner: this.id,
      lives: this.#lives,
      keeper: this.#keeper,
      config: options.config,
      connector,
      clock: options.clock,
      host: this.#host,
      log: options.log,
      wakingLimits: options.wakingLimits ?? wakingLimits,
      served: (shards) => this.#events.served(shards),
      lose: (shards) => this.lose(shards),
      fail: (shard, error) => this.fail(shard, error),
    });
  }

  /** Resolves once what was free is served, or could not be recovered. */
  async start(): Promise<void> {
    await this.#keeper.start();
    await this.#acquired.settled();
  }

  stateOf(shard: number): ShardState | undefined {
    return this.#lives[shard]?.state;
  }

  /** Of the shards that are served. */
  *states(): Generator<ShardState> {
    for (const life of this.#lives) if (life.state !== undefined) yield life.state;
  }

  /** A transaction of these is stored. */
  worked(states: Iterable<ShardState>): void {
    for (const { id } of states) this.#lives[id]?.worked();
  }

  /** Other processes own these: their memory is void. The others go on. */
  lose(shards: Iterable<number>): void {
    const ids = [...shards].filter((id) => this.#lives[id]?.isFree === false);
    if (ids.length === 0) return;
    this.#log.warn({ shards: ids }, 'shards were lost: another engine owns them');
    this.#free(ids);
    // Seldom alone: the lease's connection tells of the others.
    if (!this.#stopped) void this.#keeper.beat();
  }

  /** As `lose`, of those whose memory is the present one: a shard that was lost before may have been acquired anew by now. */
  loseStates(states: readonly ShardState[]): void {
    this.lose(states.filter((state) => this.stateOf(state.id) === state).map((state) => state.id));
  }

  /** What this process holds of a shard cannot be trusted any more: the shard is given back, and whoever acquires it recovers it anew. */
  async fail(shard: number, error: unknown): Promise<void> {
    const life = this.#lives[shard];
    if (life === undefined || life.isFree) return;
    const { pauseMs, fails } = life.fail(this.#host.monotonicMs());
    this.#log.error({ err: error, shard, fails, pauseMs }, 'a shard failed; it is given back and recovered anew');
    this.#free([shard]);
    this.#retryIn(pauseMs);
    // Where this cannot be said now, the row still has this owner, who may acquire it again.
    await this.#keeper
      .run((client) => giveShardsBack(client, this.id, [shard]))
      .catch((failure: unknown) => this.#log.warn({ err: failure, shard }, 'a shard could not be given back'));
  }

  /** Nothing is acquired or recovered any more; what is served goes on until `giveBack`. */
  async stopAcquiring(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#retries) timer.clear();
    await this.#acquired.stop();
  }

  /** Gives all back, and ends. */
  async giveBack(): Promise<void> {
    await this.stopAcquiring();
    await this.#keeper.stopBeating();
    const held = this.#lives.filter((life) => !life.isFree).map((life) => life.id);
    if (held.length > 0)
      await this.#keeper
        .run(async (client) => {
          await giveShardsBack(client, this.id, held);
          await forgetLeases(client, this.id);
        })
        .catch((error: unknown) =>
          this.#log.warn({ err: error }, 'the shards could not be given back; their lease runs out in 5 s'),
        );
    for (const life of this.#lives) life.lose();
    await this.#keeper.close();
  }

  #free(ids: readonly number[]): void {
    const states = ids.flatMap((id) => this.#lives[id]?.lose() ?? []);
    if (states.length > 0) this.#events.lost(states);
  }

  /** Renews the lease, finds out what was lost, and takes what is free. */
  async #beat(): Promise<void> {
    const held = this.#lives.filter((life) => !life.isFree).map((life) => life.id);
    if (held.length > 0) {
      const still = await this.#keeper.run((client) => renewLease(client, this.id));
      this.lose(held.filter((id) => !still.has(id)));
    }
    if (!this.#stopped) await this.#acquire();
  }

  async #acquire(): Promise<void> {
    const nowMs = this.#host.monotonicMs();
    const wanted = this.#lives.filter((life) => life.isWanted(nowMs)).map((life) => life.id);
    if (wanted.length === 0) return;
    const owner = this.id;
    const { free, gone } = await this.#keeper.run((client) => lookForShards(client, { owner, wanted }));
    if (!free && gone.length === 0) return;
    if (gone.length > 0) await delay(this.#host, secondLookMs);
    const owned = await this.#keeper.run(async (client) => {
      await renewLease(client, owner);
      const shards = await acquireShards(client, { owner, wanted, gone, graceMs: this.#graceMs });
      if (shards.length > 0) await forgetLeases(client, owner);
      return shards;
    });
    for (const shard of owned) this.#lives[shard.id]?.acquire(shard);
    if (owned.length > 0) this.#acquired.start();
  }

  #retryIn(pauseMs: number): void {
    const timer = this.#host.setTimeout(() => {
      this.#retries.delete(timer);
      if (!this.#stopped) void this.#keeper.beat();
    }, pauseMs);
    this.#retries.add(timer);
  }
}
