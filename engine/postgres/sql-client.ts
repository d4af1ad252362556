import { Client, Pool, type ClientConfig, type PoolConfig, type QueryResultRow } from 'pg';
import type { Logger } from '../base/log.ts';
import { CopyQuery, type SqlCopy } from './copy-query.ts';
import { countRefusals } from './count-refusals.ts';

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
  /** `COPY … FROM STDIN`. */
  copy(copy: SqlCopy): Promise<SqlResult<never>>;
  /** What is asked meanwhile leaves in one piece: a system call, and a packet, for all. */
  together<T>(ask: () => T): T;
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

export function copyOn(client: Client, copy: SqlCopy): Promise<SqlResult<never>> {
  return new Promise((resolve, reject) => {
    client.query(new CopyQuery(copy, { resolve, reject }));
  });
}

class PostgresClient extends Client implements SqlClient {
  onNotification(listener: (payload: string) => void): void {
    this.on('notification', ({ payload = '' }) => listener(payload));
  }

  cut(): void {
    this.connection.stream.destroy();
  }

  copy(copy: SqlCopy): Promise<SqlResult<never>> {
    return copyOn(this, copy);
  }

  together<T>(ask: () => T): T {
    const { stream } = this.connection;
    stream.cork();
    try {
      return ask();
    } finally {
      stream.uncork();
    }
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
