import { transactionQueries } from '../../../engine/commit/transaction-queries.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import type { TransactionRows } from '../../../engine/model/stored-rows.ts';
import type { TransactionStatement } from '../../../engine/postgres/transaction-query.ts';
import { acquireFree } from '../../../engine/shard/ownership/acquire-shards.ts';
import type { TwinQuery, TwinSession, TwinStores } from './twin-stores.ts';

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

  /** A transaction as the lane sends it. @param how.behind it does not know of the last one @param how.spoil a value of it cannot be stored @param how.oneByOne each statement's answer is compared */
  async commit(
    rows: TransactionRows,
    how: {
      epoch?: number;
      end?: 'COMMIT' | 'ROLLBACK';
      staged?: ReadonlyMap<string, string>;
      spoil?: boolean;
      behind?: boolean;
      oneByOne?: boolean;
    } = {},
  ): Promise<void> {
    const { epoch = this.#epoch, end = 'COMMIT', staged = new Map() } = how;
    const number = this.#transaction + 1;
    const lastTransaction = how.behind === true ? this.#transaction - 1 : this.#transaction;
    const shards = [{ id: 1, epoch, lastTransaction, seq: number, lostUs: 0 }];
    const statements = transactionQueries(shards, number, rows, staged).map((statement) =>
      how.spoil === true ? spoilt(statement) : statement,
    );
    if (end === 'COMMIT') this.#twins.send(this.lane, { text: 'a whole transaction', transaction: statements });
    else {
      this.#twins.send(this.lane, 'BEGIN');
      // A transaction prepares them under their names.
      for (const statement of statements) this.#twins.send(this.lane, unnamed(statement));
      this.#twins.send(this.lane, end);
    }
    await this.#twins.settle();
    const moved = [...this.#twins.store.tables.shard.committed()].find((row) => row.id === 1)?.last_batch;
    if (moved === number) this.#transaction = number;
  }
}

function unnamed(statement: TransactionStatement): TwinQuery {
  return 'lines' in statement ? statement : { text: statement.text, values: statement.values };
}

/** One that Postgres cannot take: a character that it has no text for. */
function spoilt(statement: TransactionStatement): TransactionStatement {
  const spoil = (text: string): string => text.replace('plain', 'pl\0ain');
  const orNull = (value: string | null): string | null => value && spoil(value);
  return 'lines' in statement
    ? { ...statement, lines: spoil(statement.lines) }
    : { ...statement, values: statement.values.map(orNull) };
}
