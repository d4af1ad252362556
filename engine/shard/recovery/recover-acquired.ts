import type { ClientConfig } from 'pg';
import type { Clock } from '../../base/clock.ts';
import { delay, type Host } from '../../base/host.ts';
import type { Logger } from '../../base/log.ts';
import { ShardState } from '../../plan/state/shard-state.ts';
import type { WakingLimits } from '../../plan/state/waking-limits.ts';
import type { Connector, SqlClient } from '../../postgres/sql-client.ts';
import { connectReader, isAlive } from './recovery-connection.ts';
import { recoverShard, type Recovered } from './recover-shard.ts';
import { type OpenAttempt } from './open-attempts.ts';
import { SetAsideLog } from './set-aside.ts';
import { readShardContents, type ShardContents } from './shard-contents.ts';
import type { LeaseConnection } from '../ownership/lease-connection.ts';
import { serveShards } from '../ownership/owned-shards.ts';
import type { ShardLife } from '../ownership/shard-life.ts';

/** Before recovery connects again. */
const reconnectMs = 250;

export interface ServedShard {
  state: ShardState;
  /** The attempts whose fate on their worker is open. */
  open: readonly OpenAttempt[];
}

interface RecoveryParts {
  readonly owner: string;
  readonly lives: readonly ShardLife[];
  readonly keeper: Pick<LeaseConnection, 'run'>;
  readonly config: ClientConfig;
  readonly connector: Connector;
  readonly clock: Clock;
  readonly host: Host;
  readonly log: Logger;
  readonly wakingLimits: WakingLimits;
  readonly served: (shards: readonly ServedShard[]) => void;
  readonly lose: (shards: readonly number[]) => void;
  readonly fail: (shard: number, error: unknown) => Promise<void>;
}

/** Reads the shards that were acquired, and has them served: empty ones at once and together, then one by one, those with the fewest tasks first. */
export class AcquiredShards {
  readonly #parts: RecoveryParts;
  readonly #setAside: SetAsideLog;
  #recovering: Promise<void> | undefined;
  #reader: SqlClient | undefined;
  #stopped = false;

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
    this.#setAside = new SetAsideLog(parts.log);
  }

  /** Resolves once what was acquired is served, or could not be recovered. */
  async settled(): Promise<void> {
    await this.#recovering;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#reader?.cut();
    await this.#recovering;
  }

  /** Begins, unless it is at it. */
  start(): void {
    this.#recovering ??= this.#recoverAll().finally(() => {
      this.#recovering = undefined;
      if (!this.#stopped && this.#next() !== undefined) this.start();
    });
  }

  #next(): ShardLife | undefined {
    return this.#parts.lives.find((life) => life.phase === 'acquired');
  }

  /** On a connection of its own: the lane goes on with what is served. */
  async #recoverAll(): Promise<void> {
    while (!this.#stopped && this.#next() !== undefined) {
      try {
        this.#reader = await connectReader(this.#parts.config, this.#parts.connector);
        while (!this.#stopped && this.#next() !== undefined) await this.#recoverAcquired(this.#reader);
      } catch (error) {
        if (!this.#stopped) {
          this.#parts.log.warn({ err: error }, 'shards could not be read; trying again');
          await delay(this.#parts.host, reconnectMs);
        }
      } finally {
        await this.#reader?.end().catch(() => undefined);
        this.#reader = undefined;
      }
    }
  }

  /** @throws whatever the connection does */
  async #recoverAcquired(client: SqlClient): Promise<void> {
    const startedAt = this.#parts.host.monotonicMs();
    const contents = await readShardContents(client);
    const acquired = this.#parts.lives.filter((life) => life.phase === 'acquired');
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
        state: new ShardState({ ...life.recover(), wakingLimits: this.#parts.wakingLimits }),
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
    const ms = Math.round(this.#parts.host.monotonicMs() - startedAt);
    this.#parts.log.info({ shards: acquired.length, tasks, ms }, 'shards taken over');
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
        nowUs: this.#parts.clock.nowUs(),
        host: this.#parts.host,
        wakingLimits: this.#parts.wakingLimits,
      });
      if (life.owned !== owned) return 0;
      await this.#setAside.store(client, life.id, recovered.setAside);
    } catch (error) {
      if (life.owned !== owned) return 0;
      life.again();
      if (this.#stopped || !(await isAlive(client))) throw error;
      if (life.fails === 0) {
        life.fail(this.#parts.host.monotonicMs());
        this.#parts.log.warn({ err: error, shard: life.id }, 'a shard could not be recovered; trying once more');
        return 0;
      }
      await this.#parts.fail(life.id, error);
      return 0;
    }
    await this.#serve([{ life, state: recovered.state, open: recovered.open }]);
    return recovered.state.tasks.size;
  }

  async #serve(recovered: readonly (ServedShard & { life: ShardLife })[]): Promise<void> {
    if (recovered.length === 0) return;
    try {
      const ours = await this.#parts.keeper.run((client) =>
        serveShards(
          client,
          this.#parts.owner,
          recovered.map(({ state }) => state),
        ),
      );
      const still = recovered.filter(({ life }) => life.phase === 'recovering' && ours.has(life.id));
      for (const { life, state } of still) life.serve(state);
      if (still.length > 0) this.#parts.served(still);
      this.#parts.lose(recovered.filter(({ life }) => life.phase === 'recovering').map(({ life }) => life.id));
    } catch (error) {
      for (const { life } of recovered) if (life.phase === 'recovering') life.again();
      throw error;
    }
  }
}
