import { DatabaseError, type ClientConfig } from 'pg';
import type { TransactionRows, ShardStep } from '../model/stored-rows.ts';
import { postgresConnector, type Connector, type SqlClient } from '../postgres/sql-client.ts';
import type { TransactionStatement } from '../postgres/transaction-query.ts';
import { transactionQueries } from './transaction-queries.ts';
import type { StagedIds } from './staged-payloads.ts';
import { assertShards } from './statements/assert-shards.ts';
import { assertStaged } from './statements/assert-staged.ts';

/** The database said no, or could not even be asked: nothing of the transaction is stored. */
export class TransactionRefused extends Error {
  override readonly name = 'TransactionRefused';
  readonly sqlstate: string;
  /** Another owner holds a shard of the transaction, or has written to it. */
  readonly notOwner: boolean;
  /** A staged payload is there no more. */
  readonly stagedLost: boolean;

  constructor(cause: Error, failed: { notOwner?: boolean; stagedLost?: boolean } = {}) {
    const detail = cause instanceof DatabaseError ? cause.detail : undefined;
    super(detail === undefined ? cause.message : `${cause.message} (${detail})`, { cause });
    this.sqlstate = cause instanceof DatabaseError ? (cause.code ?? '') : '';
    this.notOwner = failed.notOwner ?? false;
    this.stagedLost = failed.stagedLost ?? false;
  }
}

/** The connection was lost before the answer came: the transaction is stored as a whole or not at all, and only the shard's row tells. */
export class TransactionUnknown extends Error {
  override readonly name = 'TransactionUnknown';
}

/** What identifies a connection's server process, even after its pid is used again. */
export interface Backend {
  pid: number;
  start: string;
}

const laneSettings = [
  // A generic plan for every statement: planning 500-row arrays anew cost more than running them.
  `SET plan_cache_mode = force_generic_plan`,
  `SET idle_in_transaction_session_timeout = '5s'`,
  `SET synchronous_commit = on`,
  `SET lock_timeout = '20s'`,
  // A peer that vanished without a FIN is noticed, and its locks are free, within this.
  `SET tcp_user_timeout = '10s'`,
];

export const readBackend = `SELECT pid, backend_start::text AS start FROM pg_stat_activity WHERE pid = pg_backend_pid()`;

/**
 * The connection on which transactions commit, one after the other. A whole transaction is written at once and answered at once,
 * so that it costs one round trip whatever the number of its statements.
 */
export class Lane {
  readonly #client: SqlClient;
  readonly backend: Backend;

  private constructor(client: SqlClient, backend: Backend) {
    this.#client = client;
    this.backend = backend;
  }

  static async connect(
    config: ClientConfig,
    onLost: (error: Error) => void,
    connector: Connector = postgresConnector,
  ): Promise<Lane> {
    const client = connector.client({ ...config, keepAlive: true, pipeline: true });
    client.on('error', onLost);
    try {
      await client.connect();
      for (const setting of laneSettings) await client.query(setting);
      const { rows } = await client.query<{ pid: number; start: string }>(readBackend);
      const [backend] = rows;
      if (backend === undefined) throw new Error('this connection is missing in pg_stat_activity');
      return new Lane(client, backend);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
  }

  /** For reads and ownership statements between transactions. */
  get client(): SqlClient {
    return this.#client;
  }

  /** @throws TransactionRefused, TransactionUnknown */
  async commit(
    shards: readonly ShardStep[],
    transaction: number,
    rows: TransactionRows,
    staged: StagedIds = new Map(),
  ): Promise<void> {
    const statements = statementsOf(shards, transaction, rows, staged);
    const { done, failure, end } = await this.#client.transaction(statements);
    if (failure === undefined) {
      // One statement is its own transaction.
      if (statements.length === 1 || end === 'COMMIT') return;
      throw new TransactionUnknown('the transaction ended in a rollback without an error');
    }
    if (!isAnswer(failure))
      throw new TransactionUnknown('the connection to Postgres was lost while a transaction was committing', {
        cause: failure,
      });
    const refused = statements[done];
    const asserted = failure.code === '22012' && refused !== undefined && 'name' in refused ? refused.name : undefined;
    throw new TransactionRefused(failure, {
      notOwner: asserted === assertShards.name,
      stagedLost: asserted === assertStaged.name,
    });
  }

  async isAlive(): Promise<boolean> {
    try {
      await this.#client.query('SELECT 1');
      return true;
    } catch {
      return false;
    }
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined);
  }

  /** Cuts the socket without a farewell. */
  destroy(): void {
    this.#client.cut();
  }
}

/** Rows of more than 512 MB are too long for a string. Taken for a lost connection, they would be tried for ever, and all others with them. */
function statementsOf(
  shards: readonly ShardStep[],
  transaction: number,
  rows: TransactionRows,
  staged: StagedIds,
): TransactionStatement[] {
  try {
    return transactionQueries(shards, transaction, rows, staged);
  } catch (error) {
    throw new TransactionRefused(error instanceof Error ? error : new Error(String(error)));
  }
}

/** An error that Postgres sent while the connection lived on: nothing of its transaction is stored. A FATAL one (57P01…) ends the connection, maybe after a commit. */
function isAnswer(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && error.severity === 'ERROR';
}
