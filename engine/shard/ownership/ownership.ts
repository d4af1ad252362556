import type { ClientConfig } from 'pg';
import type { Clock } from '../../base/clock.ts';
import { delay, processHost, type Host, type HostTimer } from '../../base/host.ts';
import type { Logger } from '../../base/log.ts';
import { shardCount } from '../../model/ids/shard-of.ts';
import { newId } from '../../model/ids/uuid.ts';
import type { Peer, ReplicaAddress } from '../../model/replica.ts';
import type { ShardState } from '../../plan/state/shard-state.ts';
import { wakingLimits, type WakingLimits } from '../../plan/state/waking-limits.ts';
import { postgresConnector, type Connector } from '../../postgres/sql-client.ts';
import { fairShare, toHandOver, toTake, type HeldShard } from './choose-shards.ts';
import { LeaseConnection } from './lease-connection.ts';
import { forgetLeases, renewLease, type SurveySqlRow } from './process-lease.ts';
import { acquireShards } from './acquire-shards.ts';
import { giveShardsBack } from './owned-shards.ts';
import { AcquiredShards, type ServedShard } from '../recovery/recover-acquired.ts';
import { storeReplica, withdrawReplica } from './replica-record.ts';
import { ShardLife } from './shard-life.ts';
import { ShardMap } from './shard-map.ts';
import { tellOthers } from './shards-channel.ts';

/** An owner without any connection is looked at again after this: one that reconnects is there by then. */
const secondLookMs = 250;

export interface OwnershipEvents {
  served(shards: readonly ServedShard[]): void;
  lost(states: readonly ShardState[]): void;
  /** Other engines have these from now on. */
  moved(shards: readonly number[]): void;
  /** These go to other engines: to be handed over by `handOver` between two transactions, once nothing of them is under way. */
  leaving(shards: readonly number[]): void;
}

/**
 * Which shards this process owns, and which other engines have the rest. Each shard is acquired, recovered, served and lost by
 * itself. Engines that take calls share the shards evenly; one that takes none has whatever is free.
 */
export class Ownership {
  readonly id = newId();
  readonly #map = new ShardMap(this.id);
  readonly #lives = Array.from({ length: shardCount }, (_, id) => new ShardLife(id));
  readonly #log: Logger;
  readonly #events: OwnershipEvents;
  readonly #host: Host;
  readonly #graceMs: number;
  readonly #keeper: LeaseConnection;
  readonly #acquired: AcquiredShards;
  readonly #retries = new Set<HostTimer>();
  /** Served still, and about to be handed over. */
  readonly #leaving = new Set<number>();
  #address: ReplicaAddress | undefined;
  #isAddressStored = false;
  #handOvers = 0;
  readonly #takesShards: boolean;
  /** It gives all away, and takes nothing. */
  #isWithdrawn = false;
  #isStarted = false;
  #stopped = false;

  constructor(options: {
    config: ClientConfig;
    clock: Clock;
    log: Logger;
    events: OwnershipEvents;
    /** A worker may be away for so long before it is lost. */
    graceMs: number;
    wakingLimits?: WakingLimits | undefined;
    /** False for an engine that only passes calls on. Default true. */
    takesShards?: boolean | undefined;
    host?: Host;
    connector?: Connector;
  }) {
    this.#log = options.log;
    this.#events = options.events;
    this.#graceMs = options.graceMs;
    this.#takesShards = options.takesShards ?? true;
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
    this.#isStarted = true;
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

  /** The engine that has a shard, where that is another one that is alive and takes calls. */
  peerOf(shard: number): Peer | undefined {
    return this.#lives[shard]?.isFree === true ? this.#map.peerOf(shard) : undefined;
  }

  /** Since its lease was last renewed. */
  get leaseAgeMs(): number {
    return this.#keeper.ageMs;
  }

  /** All other engines that are alive and take calls. */
  get peers(): readonly Peer[] {
    return this.#map.reachable;
  }

  /** It is served for the last transactions: nothing new of it is planned. */
  isLeaving(shard: number): boolean {
    return this.#leaving.has(shard);
  }

  /** Other engines reach this one there: from now on it has its part of the shards, and gives away what is more. */
  async takeCallsAt(address: ReplicaAddress): Promise<void> {
    this.#address = address;
    this.#isAddressStored = false;
    await this.#keeper.beat();
  }

  /** Gives all shards to the other engines; the calls that come are for them. */
  async withdraw(): Promise<void> {
    this.#isWithdrawn = true;
    await this.#keeper.run(async (client) => {
      await withdrawReplica(client, this.id);
      await tellOthers(client, this.id);
    });
    await this.#keeper.beat();
  }

  /** Looks now whether shards have changed hands. */
  lookAround(): Promise<void> {
    return this.#keeper.beat();
  }

  /** Between two transactions: gives these to whoever is to have them. */
  async handOver(shards: readonly number[]): Promise<void> {
    const ids = shards.filter((id) => this.#leaving.has(id));
    if (ids.length === 0) return;
    this.#handOvers++;
    try {
      await this.#keeper.run((client) => giveShardsBack(client, this.id, ids));
      this.#log.info({ shards: ids }, 'shards were handed over');
      this.#free(ids);
      await this.#keeper.run((client) => tellOthers(client, this.id));
    } catch (error) {
      // They may be given back or not: what the lane and the next look find decides.
      for (const id of ids) this.#leaving.delete(id);
      this.#log.warn({ err: error, shards: ids }, 'shards could not be handed over; trying again');
    }
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
    const held = this.#held;
    if (this.#isStarted)
      await this.#keeper
        .run(async (client) => {
          if (held.length > 0) await giveShardsBack(client, this.id, held);
          await forgetLeases(client, this.id);
          await tellOthers(client, this.id);
        })
        .catch((error: unknown) =>
          this.#log.warn({ err: error }, 'the shards could not be given back; their lease runs out in 5 s'),
        );
    for (const life of this.#lives) life.lose();
    await this.#keeper.close();
  }

  #free(ids: readonly number[]): void {
    for (const id of ids) this.#leaving.delete(id);
    const states = ids.flatMap((id) => this.#lives[id]?.lose() ?? []);
    if (states.length > 0) this.#events.lost(states);
  }

  get #held(): number[] {
    return this.#lives.filter((life) => !life.isFree).map((life) => life.id);
  }

  /** Renews the lease, finds out what was lost and who has it, takes what is free and hands over what is too much. */
  async #beat(): Promise<void> {
    const held = this.#held;
    const handOvers = this.#handOvers;
    const rows = await this.#keeper.run((client) => renewLease(client, this.id));
    this.#keeper.renewed();
    const still = new Set(rows.flatMap(({ id, owner }) => (owner === this.id && id !== null ? [id] : [])));
    this.lose(held.filter((id) => !still.has(id)));
    const moved = this.#map.update(rows);
    if (moved.length > 0) this.#events.moved(moved.filter((id) => this.peerOf(id) !== undefined));
    if (this.#stopped) return;
    await this.#storeAddress(rows);
    // What was read may be from before the last hand-over.
    if (this.#takesShards && !this.#isWithdrawn && handOvers === this.#handOvers) await this.#acquire(rows);
    this.#leave();
  }

  /** The row may be gone: that of a process that stood still for an hour is taken away by others. */
  async #storeAddress(rows: readonly SurveySqlRow[]): Promise<void> {
    const address = this.#address;
    if (address === undefined || this.#isWithdrawn) return;
    const own = rows.find(({ owner }) => owner === this.id);
    if (this.#isAddressStored && (own === undefined || own.grpc_address !== null)) return;
    await this.#keeper.run(async (client) => {
      await storeReplica(client, this.id, address);
      await tellOthers(client, this.id);
    });
    this.#isAddressStored = true;
  }

  /** How many shards are this engine's part. */
  get #share(): number {
    if (this.#isWithdrawn) return 0;
    return this.#address === undefined ? shardCount : fairShare(this.#map.reachable.length + 1);
  }

  async #acquire(rows: readonly SurveySqlRow[]): Promise<void> {
    const nowMs = this.#host.monotonicMs();
    const open = rows.flatMap(({ id, owner, free, alive, abandoned }) => {
      const isOpen = id !== null && this.#lives[id]?.isWanted(nowMs) === true && (free || !alive);
      // No other engine takes what its row says that this one has.
      return isOpen ? [{ id, owner, abandoned: abandoned || owner === this.id, isGone: !free }] : [];
    });
    const wanted = toTake(open, { held: this.#held.length, share: this.#share, first: this.#firstChoice });
    if (wanted.length === 0) return;
    const gone = open.flatMap(({ id, owner, isGone }) =>
      isGone && owner !== null && wanted.includes(id) ? [owner] : [],
    );
    if (gone.length > 0) await delay(this.#host, secondLookMs);
    const owned = await this.#keeper.run(async (client) => {
      const shards = await acquireShards(client, {
        owner: this.id,
        wanted,
        gone: [...new Set(gone)],
        graceMs: this.#graceMs,
      });
      if (shards.length > 0) {
        await forgetLeases(client, null);
        await tellOthers(client, this.id);
      }
      return shards;
    });
    for (const shard of owned) this.#lives[shard.id]?.acquire(shard);
    if (owned.length > 0) this.#acquired.start();
  }

  /** Another one for each engine. */
  get #firstChoice(): number {
    return parseInt(this.id.slice(-8), 16) % shardCount;
  }

  /** Begins to hand over what is more than its part. */
  #leave(): void {
    if (this.#leaving.size > 0) return;
    const held: HeldShard[] = [];
    for (const { id, state } of this.#lives)
      if (state !== undefined) held.push({ id, load: state.tasks.size + state.workersById.size });
    const ids = this.#isWithdrawn ? held.map(({ id }) => id) : toHandOver(held, this.#share);
    if (ids.length === 0) return;
    for (const id of ids) this.#leaving.add(id);
    this.#events.leaving(ids);
  }

  #retryIn(pauseMs: number): void {
    const timer = this.#host.setTimeout(() => {
      this.#retries.delete(timer);
      if (!this.#stopped) void this.#keeper.beat();
    }, pauseMs);
    this.#retries.add(timer);
  }
}
