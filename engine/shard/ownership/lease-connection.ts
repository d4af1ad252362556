import type { ClientConfig } from 'pg';
import { processHost, type Host, type HostTimer } from '../../base/host.ts';
import type { Logger } from '../../base/log.ts';
import { postgresConnector, type Connector, type Sql, type SqlClient } from '../../postgres/sql-client.ts';
import { connectionName } from '../../postgres/engine-connections.ts';
import { listenForShards } from './shards-channel.ts';

/** Between two renewals of the lease of 5 s. */
const renewMs = 1_500;
/** No statement of the lease's connection waits for anything; one that takes longer than this has lost its connection. */
const statementMs = 3_000;

/**
 * The lease's own connection and timer. Whatever the lane waits for, however long a load or a recovery takes, the lease is
 * renewed: only a process that stands still, or has lost Postgres, loses it.
 */
export class LeaseConnection {
  readonly #config: ClientConfig;
  readonly #owner: string;
  readonly #log: Logger;
  readonly #onBeat: () => Promise<void>;
  readonly #host: Host;
  readonly #connector: Connector;
  #client: Promise<SqlClient> | undefined;
  #timer: HostTimer | undefined;
  #beating: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();
  #isToldAgain = false;
  #renewedAtMs: number;
  #stopped = false;

  /** @param options.onBeat renews the lease and does what goes with it, by `run` */
  constructor(options: {
    config: ClientConfig;
    owner: string;
    log: Logger;
    onBeat: () => Promise<void>;
    host?: Host;
    connector?: Connector;
  }) {
    this.#config = {
      ...options.config,
      application_name: connectionName('lease', options.owner),
      keepAlive: true,
      statement_timeout: statementMs,
      lock_timeout: statementMs / 3,
      query_timeout: statementMs,
      options: '-c synchronous_commit=off', // after a crash of Postgres nobody's lease counts
    };
    this.#owner = options.owner;
    this.#log = options.log;
    this.#onBeat = options.onBeat;
    this.#host = options.host ?? processHost;
    this.#renewedAtMs = this.#host.monotonicMs();
    this.#connector = options.connector ?? postgresConnector;
  }

  /** The lease has been renewed just now. */
  renewed(): void {
    this.#renewedAtMs = this.#host.monotonicMs();
  }

  /** Since the lease was last renewed, or since this was made. */
  get ageMs(): number {
    return this.#host.monotonicMs() - this.#renewedAtMs;
  }

  /** Connects, and beats for the first time. */
  async start(): Promise<void> {
    await this.#connected();
    const first = this.#onBeat();
    this.#beating = first
      .catch(() => undefined)
      .finally(() => {
        this.#beating = undefined;
      });
    await first;
    if (!this.#stopped) this.#timer = this.#host.setInterval(() => void this.beat(), renewMs);
  }

  /** Now, rather than when the timer says so. One that is under way is joined. */
  beat(): Promise<void> {
    this.#beating ??= (this.#stopped ? Promise.resolve() : this.#onBeat())
      .catch((error: unknown) =>
        this.#log.warn({ err: error }, 'the lease of the shards could not be renewed; trying again'),
      )
      .finally(() => {
        this.#beating = undefined;
      });
    return this.#beating;
  }

  /** What was told after a beat had looked needs another one. */
  async #beatAnew(): Promise<void> {
    if (this.#isToldAgain) return;
    if (this.#beating !== undefined) {
      this.#isToldAgain = true;
      await this.#beating;
      this.#isToldAgain = false;
    }
    await this.beat();
  }

  /** Runs statements on the lease's connection, after those before. A connection that failed is given up, and the next call makes a new one. */
  run<T>(work: (client: Sql) => Promise<T>): Promise<T> {
    const done = this.#last.then(() => this.#run(work));
    this.#last = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  async #run<T>(work: (client: Sql) => Promise<T>): Promise<T> {
    const connecting = this.#connected();
    const client = await connecting;
    try {
      return await work(client);
    } catch (error) {
      this.#drop(connecting);
      throw error;
    }
  }

  /** No beat is under way after it. */
  async stopBeating(): Promise<void> {
    this.#stopped = true;
    this.#timer?.clear();
    await this.#beating;
  }

  async close(): Promise<void> {
    await this.stopBeating();
    const client = await this.#client?.catch(() => undefined);
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }

  #connected(): Promise<SqlClient> {
    if (this.#client !== undefined) return this.#client;
    const connecting = this.#connect(() => {
      // One that was given up for a statement that failed is cut, too: then the timer tries again, and not this.
      if (this.#client !== connecting) return;
      this.#drop(connecting);
      // Its process is there as long as one of its connections is.
      void this.beat();
    });
    this.#client = connecting;
    connecting.catch(() => this.#drop(connecting));
    return connecting;
  }

  async #connect(onLost: () => void): Promise<SqlClient> {
    const client = this.#connector.client(this.#config);
    client.on('error', onLost);
    try {
      await client.connect();
      await listenForShards(client, this.#owner, () => void this.#beatAnew());
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
  }

  #drop(connecting: Promise<SqlClient>): void {
    if (this.#client !== connecting) return;
    this.#client = undefined;
    connecting.then((client) => client.cut()).catch(() => undefined);
  }
}
