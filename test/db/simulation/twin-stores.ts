import { Client, DatabaseError, type ClientConfig } from 'pg';
import { expect } from 'vitest';
import {
  postgresConnector,
  type SqlClient,
  type SqlQuery,
  type SqlResult,
} from '../../../engine/postgres/sql-client.ts';
import type { TransactionStatement } from '../../../engine/postgres/transaction-query.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/test-database.ts';
import { startUs, StoreMachineByHand } from '../../helpers/store-machine-by-hand.ts';
import { typeOf } from '../../simulation/store/columns.ts';
import { isOrdered } from '../../simulation/store/statement.ts';
import { SimulatedStore } from '../../simulation/store/store.ts';

/** What came of a statement. */
type Outcome =
  | { command: string; rowCount: number | null; rows: string[] }
  | { sqlstate: string | undefined; severity: string | undefined }
  | { lost: true };

/** A statement that was sent to both. */
interface Sent {
  query: TwinQuery;
  session: TwinSession;
  model: Outcome | undefined;
  postgres: Outcome | undefined;
  compared: boolean;
  answer: Promise<void>;
}

/** A statement, with other parameters for the model where the two have names of their own for something; the lines of a COPY; or a whole transaction with one Sync. */
export type TwinQuery = SqlQuery & {
  modelValues?: unknown[];
  lines?: string;
  transaction?: readonly TransactionStatement[];
};

/** `now()` and `clock_timestamp()` of the test's: sequences are seen by all at once, whatever transaction they are in. */
const clockSchema = `
  CREATE SCHEMA simulated;
  CREATE SEQUENCE simulated.us;
  CREATE FUNCTION simulated.now() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    $$ SELECT timestamptz 'epoch' + last_value * interval '1 microsecond' FROM simulated.us $$;
  CREATE FUNCTION simulated.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT simulated.now() $$;`;

/** The model and Postgres side by side: whatever is sent goes to both, and answers and tables are compared. */
export class TwinStores {
  readonly #database: TestDatabase;
  readonly #admin: Client;
  readonly #sessions: TwinSession[] = [];
  #machine = new StoreMachineByHand();
  #store = new SimulatedStore({ machine: this.#machine });
  #sent: Sent[] = [];
  /** Statements by their texts, with the most rows that one of them answered or changed. */
  readonly answered = new Map<string, number>();
  /** What was refused, by SQLSTATE. */
  readonly refused = new Map<string, number>();

  private constructor(database: TestDatabase, admin: Client) {
    this.#database = database;
    this.#admin = admin;
  }

  static async open(): Promise<TwinStores> {
    const database = await createTestDatabase();
    const admin = new Client({ connectionString: database.url, options: '-c timezone=UTC' });
    await admin.connect();
    const twins = new TwinStores(database, admin);
    await admin.query(clockSchema);
    for (const [table, { shape }] of Object.entries(twins.store.tables)) {
      for (const [column, value] of Object.entries(shape.defaults?.(startUs) ?? {}))
        if (value === startUs)
          await admin.query(`ALTER TABLE ${table} ALTER COLUMN ${column} SET DEFAULT simulated.now()`);
    }
    await twins.reset();
    return twins;
  }

  get store(): SimulatedStore {
    return this.#store;
  }

  get admin(): Client {
    return this.#admin;
  }

  get nowUs(): number {
    return this.#machine.nowUs();
  }

  /** Both empty, as a new database is. Sessions end. */
  async reset(): Promise<void> {
    for (const session of this.#sessions.splice(0)) await session.end();
    await this.#machine.drain();
    this.#machine = new StoreMachineByHand();
    this.#store = new SimulatedStore({ machine: this.#machine });
    this.#sent = [];
    const others = Object.keys(this.#store.tables).filter(
      (name) => name !== 'shard' && name !== 'tenant' && name !== 'workflow',
    );
    await this.#admin.query(
      [...others, 'workflow', 'tenant'].map((name) => `DELETE FROM ${name};`).join(' ') +
        `UPDATE shard SET owner = NULL, epoch = 0, last_batch = 0, last_seq = 0, lost_us = 0, absent_since = NULL;`,
    );
    await this.pass(0);
  }

  async close(): Promise<void> {
    await this.reset();
    await this.#admin.end();
    await this.#database.drop();
  }

  /** Time passes for both. Not while a transaction is open, whose `now()` stands still in Postgres alone. */
  async pass(ms: number): Promise<void> {
    await this.#machine.pass(ms);
    await this.#admin.query(`SELECT setval('simulated.us', $1)`, [this.#machine.nowUs()]);
  }

  async session(config: ClientConfig = {}): Promise<TwinSession> {
    const machine = this.#machine;
    const name = `process ${this.#sessions.length}`;
    const model = this.#store
      .connector({ name, host: noTimers, deliver: (arrive) => machine.deliver(arrive) })
      .client(config);
    const postgres = postgresConnector.client({
      ...config,
      connectionString: this.#database.url,
      options: `-c search_path=simulated,pg_catalog,public -c timezone=UTC ${config.options ?? ''}`,
    });
    const session = new TwinSession(model, postgres);
    const connected = model.connect();
    await machine.drain();
    await connected;
    await session.connect();
    this.#sessions.push(session);
    return session;
  }

  /** Sends a statement to both. What comes of it is compared by `settle`. */
  send(session: TwinSession, query: string | TwinQuery, values: unknown[] = []): void {
    const asked: TwinQuery = typeof query === 'string' ? { text: query, values } : query;
    const sent: Sent = {
      query: asked,
      session,
      model: undefined,
      postgres: undefined,
      compared: false,
      answer: Promise.resolve(),
    };
    outcomeOf(asked.text, session.inModel(asked)).then(
      (outcome) => (sent.model = outcome),
      (error: unknown) => {
        throw error;
      },
    );
    sent.answer = outcomeOf(asked.text, session.inPostgres(asked)).then((outcome) => void (sent.postgres = outcome));
    this.#sent.push(sent);
  }

  /**
   * Waits until both have answered whatever they can, and compares. What the model lets wait has to wait in Postgres too.
   * @param afterMs that pass for the model first, so that what Postgres gives up in real time is given up
   */
  async settle({ afterMs = 0 } = {}): Promise<void> {
    await this.#machine.drain();
    if (afterMs > 0) await this.#machine.pass(afterMs);
    for (const sent of this.#sent) {
      if (sent.model === undefined) await this.#waitsInPostgres(sent);
      else {
        await sent.answer;
        expect(sent.model, `${sent.query.name ?? sent.query.text} (model) beside Postgres`).toEqual(sent.postgres);
        this.#note(sent);
        sent.compared = true;
      }
    }
    this.#sent = this.#sent.filter((sent) => !sent.compared);
  }

  /** Sends one statement, and compares what comes of it at once. */
  async run(session: TwinSession, query: string | TwinQuery, values: unknown[] = []): Promise<void> {
    this.send(session, query, values);
    await this.settle();
  }

  /** Whether a statement of the session waits. */
  isWaiting(session: TwinSession): boolean {
    return this.#sent.some((sent) => sent.session === session);
  }

  /** All tables of both. */
  async compareTables(): Promise<void> {
    const selects = Object.entries(this.#store.tables).map(([name, { shape }]) => {
      const columns = Object.keys(shape.columns).map((column) => `${column}::text`);
      return `SELECT '${name}' AS name, jsonb_build_array(${columns.join(', ')})::text AS row FROM ${name}`;
    });
    const { rows } = await this.#admin.query<{ name: string; row: string }>(selects.join(' UNION ALL '));
    const stored = new Map<string, string[]>();
    for (const { name, row } of rows) stored.set(name, [...(stored.get(name) ?? []), JSON.stringify(JSON.parse(row))]);
    for (const [name, modelled] of Object.entries(this.#store.dump()))
      expect(modelled.map((row) => JSON.stringify(row)).sort(), `table ${name} of the model`).toEqual(
        (stored.get(name) ?? []).sort(),
      );
  }

  #note({ query, model }: Sent): void {
    if (model !== undefined && 'rows' in model) {
      const rows = Math.max(model.rows.length, model.rowCount ?? 0);
      this.answered.set(query.text, Math.max(rows, this.answered.get(query.text) ?? 0));
      // Each of them has rows; the tables tell what became of them.
      for (const { text } of query.transaction ?? [])
        this.answered.set(text, Math.max(1, this.answered.get(text) ?? 0));
    } else if (model !== undefined && 'sqlstate' in model && model.sqlstate !== undefined)
      this.refused.set(model.sqlstate, (this.refused.get(model.sqlstate) ?? 0) + 1);
  }

  async #waitsInPostgres({ session, query, ...sent }: Sent): Promise<void> {
    const first = this.#sent.find((each) => each.session === session);
    // Behind one that waits.
    if (first !== undefined && first.query !== query) return;
    for (;;) {
      const { rows } = await this.#admin.query<{ waits: boolean }>(
        `SELECT wait_event_type = 'Lock' AS waits FROM pg_stat_activity WHERE pid = $1`,
        [session.pid],
      );
      if (rows[0]?.waits === true) return;
      if (first?.postgres !== undefined)
        expect.fail(
          `${query.name ?? query.text} waits in the model, but not in Postgres: ${JSON.stringify(first.postgres)} ${JSON.stringify(sent.model)}`,
        );
    }
  }
}

/** No client-side time-out is under test here. */
const noTimers = {
  setTimeout: () => ({ clear: () => undefined, unref: () => undefined }),
};

export class TwinSession {
  readonly model: SqlClient;
  readonly postgres: SqlClient;
  #pid = 0;

  constructor(model: SqlClient, postgres: SqlClient) {
    this.model = model;
    this.postgres = postgres;
    model.on('error', () => undefined);
    postgres.on('error', () => undefined);
  }

  get pid(): number {
    return this.#pid;
  }

  async connect(): Promise<void> {
    await this.postgres.connect();
    const { rows } = await this.postgres.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    this.#pid = rows[0]?.pid ?? 0;
  }

  inModel(query: TwinQuery): Promise<SqlResult<Record<string, unknown>>> {
    const { modelValues = query.values ?? [], ...asked } = query;
    return transactionOn(this.model, query) ?? this.model.query({ ...asked, values: modelValues });
  }

  inPostgres(query: TwinQuery): Promise<SqlResult<Record<string, unknown>>> {
    return transactionOn(this.postgres, query) ?? this.postgres.query(query);
  }

  async end(): Promise<void> {
    this.model.cut();
    await this.postgres.end();
  }
}

/** Of a query that is one. */
function transactionOn(
  client: SqlClient,
  { text, lines, transaction }: TwinQuery,
): Promise<SqlResult<never>> | undefined {
  const statements = transaction ?? (lines === undefined ? undefined : [{ text, lines }]);
  return (
    statements &&
    client.transaction(statements).then(({ done, failure, end = 'COPY' }) => {
      if (failure !== undefined) throw failure;
      return { command: end, rowCount: done, rows: [] };
    })
  );
}

async function outcomeOf(text: string, answer: Promise<SqlResult<Record<string, unknown>>>): Promise<Outcome> {
  try {
    const { command, rowCount, rows } = await answer;
    const lines = rows.map((row) =>
      JSON.stringify(
        Object.entries(row)
          .map(masked)
          .sort(([a], [b]) => (a < b ? -1 : 1)),
      ),
    );
    return { command, rowCount, rows: isOrdered(text) ? lines : lines.sort() };
  } catch (error) {
    if (error instanceof DatabaseError) return { sqlstate: error.code, severity: error.severity };
    if (error instanceof Error && /terminated|connection/i.test(error.message)) return { lost: true };
    throw error;
  }
}

/** What is not the same in two servers. */
function masked([name, value]: [string, unknown]): [string, unknown] {
  // In no order.
  if (name === 'asked' && Array.isArray(value)) return [name, value.map(String).sort()];
  return name === 'pid' || name === 'start' ? [name, typeof value] : [name, value];
}

/** Columns, keys and references of the model's tables, as the test compares them with Postgres's own. */
export function describeModel(store: SimulatedStore): string[] {
  return Object.entries(store.tables).flatMap(([table, { shape }]) => [
    ...Object.entries(shape.columns).map(([column, spec]) => {
      const { type, isNullable } = typeOf(spec);
      return `${table}.${column} ${typeNames[type]}${isNullable ? '' : ' NOT NULL'}`;
    }),
    `${table} PRIMARY KEY (${shape.key.join(', ')})`,
    ...(shape.unique ?? []).map((columns) => `${table} UNIQUE (${columns.join(', ')})`),
    ...Object.entries(shape.references ?? {}).map(
      ([column, other]) => `${table} FOREIGN KEY (${column}) REFERENCES ${other}(id)`,
    ),
  ]);
}

const typeNames = {
  uuid: 'uuid',
  text: 'text',
  jsonb: 'jsonb',
  smallint: 'smallint',
  integer: 'integer',
  bigint: 'bigint',
  wide: 'bigint',
  boolean: 'boolean',
  timestamptz: 'timestamp with time zone',
  'text[]': 'text[]',
} as const;

export async function describePostgres(twins: TwinStores): Promise<string[]> {
  const names = Object.keys(twins.store.tables);
  const columns = await twins.admin.query<{ line: string }>(
    `SELECT format('%s.%s %s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN ' NOT NULL' END) AS line
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     WHERE c.relname = ANY ($1) AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped`,
    [names],
  );
  const constraints = await twins.admin.query<{ line: string }>(
    `SELECT format('%s %s', c.relname, pg_get_constraintdef(k.oid)) AS line
     FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
     WHERE c.relname = ANY ($1) AND c.relnamespace = 'public'::regnamespace AND k.contype IN ('p', 'u', 'f')`,
    [names],
  );
  return [...columns.rows, ...constraints.rows].map(({ line }) => line);
}
