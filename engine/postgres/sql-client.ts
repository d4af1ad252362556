import { Client, Pool, type ClientConfig, type PoolConfig, type QueryResultRow } from 'pg';
import type { Logger } from '../base/log.ts';
import { countRefusals } from './count-refusals.ts';
import { TransactionQuery, type TransactionAnswer, type TransactionStatement } from './transaction-query.ts';

export interface SqlQuery {
  name?: string;
  text: string;
  values?: unknown[];
}

export interface SqlResult<Row> {
  rows: Row[];
  rowCount: number | null;
  command: string;
}

/** What runs a statement: a connection, or a pool of them. */
export interface Sql {
  query<Row extends QueryResultRow>(query: string | SqlQuery, values?: unknown[]): Promise<SqlResult<Row>>;
}

/** A connection of one's own. */
export interface SqlClient extends Sql {
  connect(): Promise<unknown>;
  /** The connection is lost. */
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** Somebody has notified a channel that this connection listens to. */
  onNotification(listener: (payload: string) => void): void;
  end(): Promise<void>;
  /** Cuts the socket without a farewell. */
  cut(): void;
  /**
   * Carries out all of the statements as one transaction, or none: they leave in one piece, and are answered in one.
   * What goes wrong stands in the answer.
   */
  transaction(statements: readonly TransactionStatement[]): Promise<TransactionAnswer>;
}

/** A connection of a pool, until it is released. */
export interface PooledClient extends Sql {
  /** @param destroy it is not to be used again */
  release(destroy?: boolean): void;
}

export interface SqlPool extends Sql {
  connect(): Promise<PooledClient>;
  end(): Promise<void>;
}

/** Where connections to the store come from: a simulation has a store of its own. */
export interface Connector {
  client(config: ClientConfig): SqlClient;
  pool(config: PoolConfig, log: Logger): SqlPool;
}

class PostgresClient extends Client implements SqlClient {
  readonly #prepared = new Set<string>();

  onNotification(listener: (payload: string) => void): void {
    this.on('notification', ({ payload = '' }) => listener(payload));
  }

  cut(): void {
    this.connection.stream.destroy();
  }

  async transaction(statements: readonly TransactionStatement[]): Promise<TransactionAnswer> {
    const answer = await new Promise<TransactionAnswer>((settle) => {
      this.query(new TransactionQuery(statements, this.#prepared, settle));
    });
    // Its COMMIT was passed over. Where the connection is lost this fails, and there is nothing left to end.
    if (answer.failure !== undefined && statements.length > 1) this.query('ROLLBACK').catch(() => undefined);
    return answer;
  }
}

export const postgresConnector = {
  client: (config: ClientConfig): SqlClient => new PostgresClient(config),
  pool: (config: PoolConfig, log: Logger): Pool => {
    const pool = new Pool(config);
    pool.on('error', (error) => log.debug({ err: error }, 'an idle connection was lost'));
    // One that is lost between two statements of a transaction has nobody else who listens: without this it would end the process.
    pool.on('connect', (client) => {
      client.on('error', () => undefined);
      countRefusals(client, log);
    });
    return pool;
  },
} satisfies Connector;
