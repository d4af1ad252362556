import { transactionQueries, type Query } from '../../../engine/commit/transaction-queries.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import type { TransactionRows } from '../../../engine/model/stored-rows.ts';
import { acquireFree } from '../../../engine/shard/ownership/acquire-shards.ts';
import type { TwinSession, TwinStores } from './twin-stores.ts';

/** An owner's connections on both, and the shard that its transactions move. */
export class TwinOwner {
  readonly #twins: TwinStores;
  readonly id = newId();
  readonly lane: TwinSession;
  readonly pool: TwinSession;
  #transaction = 0;
  #epoch = 0;

  private constructor(twins: TwinStores, lane: TwinSession, pool: TwinSession) {
    this.#twins = twins;
    this.lane = lane;
    this.pool = pool;
  }

  static async open(twins: TwinStores, tenants: readonly string[]): Promise<TwinOwner> {
    const lane = await twins.session({ application_name: 'lane', pipeline: true });
    const owner = new TwinOwner(twins, lane, await twins.session({ application_name: 'pool', pipeline: true }));
    for (const [at, id] of tenants.entries()) {
      await twins.admin.query('INSERT INTO tenant (id, name, created_at) VALUES ($1, $2, simulated.now())', [
        id,
        `t${at}`,
      ]);
      twins.store.put('tenant', { id, name: `t${at}` });
    }
    await twins.run(lane, { ...acquireFree, values: [owner.id, [0, 1, 2], [], 0] });
    owner.#epoch = 1;
    return owner;
  }

  /** A transaction as the lane sends it. @param how.behind it does not know of the last one @param how.spoil a value of it cannot be stored */
  async commit(
    rows: TransactionRows,
    how: {
      epoch?: number;
      end?: 'COMMIT' | 'ROLLBACK';
      staged?: ReadonlyMap<string, string>;
      spoil?: boolean;
      behind?: boolean;
    } = {},
  ): Promise<void> {
    const { epoch = this.#epoch, end = 'COMMIT', staged = new Map() } = how;
    const number = this.#transaction + 1;
    const lastTransaction = how.behind === true ? this.#transaction - 1 : this.#transaction;
    const shards = [{ id: 1, epoch, lastTransaction, seq: number, lostUs: 0 }];
    this.#twins.send(this.lane, 'BEGIN');
    for (const query of transactionQueries(shards, number, rows, staged))
      this.#twins.send(this.lane, how.spoil === true ? spoilt(query) : query);
    this.#twins.send(this.lane, end);
    await this.#twins.settle();
    const moved = [...this.#twins.store.tables.shard.committed()].find((row) => row.id === 1)?.last_batch;
    if (moved === number) this.#transaction = number;
  }
}

/** One that Postgres cannot take: a character that it has no text for. */
function spoilt(query: Query): Query {
  const spoil = (text: string): string => text.replace('plain', 'pl\0ain');
  return 'lines' in query ? { ...query, lines: spoil(query.lines) } : { ...query, values: query.values.map(spoil) };
}
