import type { ClientConfig } from 'pg';
import type { Clock } from '../../base/clock.ts';
import { delay, processHost, type Host, type HostTimer } from '../../base/host.ts';
import type { Logger } from '../../base/log.ts';
import { shardCount } from '../../model/ids/shard-of.ts';
import { newId } from '../../model/ids/uuid.ts';
import { ShardState } from '../../plan/state/shard-state.ts';
import { wakingLimits, type WakingLimits } from '../../plan/state/waking-limits.ts';
import { postgresConnector, type Connector, type SqlClient } from '../../postgres/sql-client.ts';
import { connectReader, isAlive } from '../recovery/reader.ts';
import { recoverShard, type OpenAttempt, type Recovered } from '../recovery/recover-shard.ts';
import { SetAsideLog } from '../recovery/set-aside.ts';
import { readShardContents, type ShardContents } from '../recovery/shard-contents.ts';
import { LeaseConnection } from './lease-connection.ts';
import { forgetLeases, renewLease } from './lease.ts';
import { acquireShards, lookForShards } from './take-free-shards.ts';
import { giveShardsBack, serveShards } from './owned-shards.ts';
import { ShardLife } from './shard-life.ts';

/** An owner without any connection is looked at again after this: one that reconnects is there by then. */
const secondLookMs = 250;
/** Before recovery connects again. */
const reconnectMs = 250;

export interface ServedShard {
  state: ShardState;
  /** The attempts whose fate on their worker is open. */
  open: readonly OpenAttempt[];
}

export interface OwnershipEvents {
  served(shards: readonly ServedShard[]): void;
  lost(states: readonly ShardState[]): void;
}

/** Which shards this process owns. Each is acquired, recovered, served and lost by itself. */
export class Ownership {
  readonly id = newId();
  readonly #lives = Array.from({ length: shardCount }, (_, id) => new ShardLife(id));
  readonly #config: ClientConfig;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #events: OwnershipEvents;
  readonly #host: Host;
  readonly #connector: Connector;
  readonly #graceMs: number;
  readonly #wakingLimits: WakingLimits;
  readonly #keeper: LeaseConnection;
  readonly #setAside: SetAsideLog;
  readonly #retries = new Set<HostTimer>();
  #recovering: Promise<void> | undefined;
  #reader: SqlClient | undefined;
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
    this.#config = options.config;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#events = options.events;
    this.#graceMs = options.graceMs;
    this.#wakingLimits = options.wakingLimits ?? wakingLimits;
    this.#host = options.host ?? processHost;
    this.#connector = options.connector ?? postgresConnector;
    this.#setAside = new SetAsideLog(options.log);
    this.#keeper = new LeaseConnection({
      config: options.config,
      owner: this.id,
      log: options.log,
      onBeat: () => this.#beat(),
      host: this.#host,
      connector: this.#connector,
    });
  }

  /** Resolves once what was free is served, or could not be recovered. */
  async start(): Promise<void> {
    await this.#keeper.start();
    await this.#recovering;
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
    this.#reader?.cut();
    await this.#recovering;
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
    if (owned.length > 0) this.#recover();
  }

  #retryIn(pauseMs: number): void {
    const timer = this.#host.setTimeout(() => {
      this.#retries.delete(timer);
      if (!this.#stopped) void this.#keeper.beat();
    }, pauseMs);
    this.#retries.add(timer);
  }

  #recover(): void {
    this.#recovering ??= this.#recoverAll().finally(() => {
      this.#recovering = undefined;
      if (!this.#stopped && this.#next() !== undefined) this.#recover();
    });
  }

  #next(): ShardLife | undefined {
    return this.#lives.find((life) => life.phase === 'acquired');
  }

  /** On a connection of its own: the lane goes on with what is served. */
  async #recoverAll(): Promise<void> {
    while (!this.#stopped && this.#next() !== undefined) {
      try {
        this.#reader = await connectReader(this.#config, this.#connector);
        while (!this.#stopped && this.#next() !== undefined) await this.#recoverAcquired(this.#reader);
      } catch (error) {
        if (!this.#stopped) {
          this.#log.warn({ err: error }, 'shards could not be read; trying again');
          await delay(this.#host, reconnectMs);
        }
      } finally {
        await this.#reader?.end().catch(() => undefined);
        this.#reader = undefined;
      }
    }
  }

  /** @throws whatever the connection does */
  async #recoverAcquired(client: SqlClient): Promise<void> {
    const startedAt = this.#host.monotonicMs();
    const contents = await readShardContents(client);
    const acquired = this.#lives.filter((life) => life.phase === 'acquired');
    const empty = acquired.filter((life) => contents.get(life.id) === undefined);
    await this.#setAside.storeNone(
      client,
      empty.map((life) => life.id),
    );
    // Some may have been lost meanwhile.
    const ours = empty.filter((life) => life.phase === 'acquired');
    await this.#serve(
      ours.map((life) => ({
        life,
        state: new ShardState({ ...life.recover(), wakingLimits: this.#wakingLimits }),
        open: [],
      })),
    );
    let tasks = 0;
    // Those with little are not kept waiting by one that takes long.
    const rest = acquired.flatMap((life) => {
      const content = contents.get(life.id);
      return content === undefined ? [] : [{ life, content }];
    });
    rest.sort((a, b) => a.content.tasks - b.content.tasks);
    for (const { life, content } of rest) {
      if (this.#stopped) return;
      tasks += await this.#recoverOne(client, life, content);
    }
    const ms = Math.round(this.#host.monotonicMs() - startedAt);
    this.#log.info({ shards: acquired.length, tasks, ms }, 'shards taken over');
  }

  /** @returns the tasks that it has */
  async #recoverOne(client: SqlClient, life: ShardLife, content: ShardContents): Promise<number> {
    // It may have been lost meanwhile.
    if (life.phase !== 'acquired') return 0;
    const owned = life.recover();
    let recovered: Recovered;
    try {
      recovered = await recoverShard(client, owned, {
        content,
        nowUs: this.#clock.nowUs(),
        host: this.#host,
        wakingLimits: this.#wakingLimits,
      });
      if (life.owned !== owned) return 0;
      await this.#setAside.store(client, life.id, recovered.setAside);
    } catch (error) {
      if (life.owned !== owned) return 0;
      life.again();
      if (this.#stopped || !(await isAlive(client))) throw error;
      if (life.fails === 0) {
        life.fail(this.#host.monotonicMs());
        this.#log.warn({ err: error, shard: life.id }, 'a shard could not be recovered; trying once more');
        return 0;
      }
      await this.fail(life.id, error);
      return 0;
    }
    await this.#serve([{ life, state: recovered.state, open: recovered.open }]);
    return recovered.state.tasks.size;
  }

  async #serve(recovered: readonly (ServedShard & { life: ShardLife })[]): Promise<void> {
    if (recovered.length === 0) return;
    try {
      const ours = await this.#keeper.run((client) =>
        serveShards(
          client,
          this.id,
          recovered.map(({ state }) => state),
        ),
      );
      const still = recovered.filter(({ life }) => life.phase === 'recovering' && ours.has(life.id));
      for (const { life, state } of still) life.serve(state);
      if (still.length > 0) this.#events.served(still);
      this.lose(recovered.filter(({ life }) => life.phase === 'recovering').map(({ life }) => life.id));
    } catch (error) {
      for (const { life } of recovered) if (life.phase === 'recovering') life.again();
      throw error;
    }
  }
}
