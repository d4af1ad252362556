import type { PoolConfig } from 'pg';
import type { HostTimer } from '../../../engine/base/host.ts';
import type { PooledClient, SqlPool, SqlQuery, SqlResult } from '../../../engine/postgres/sql-client.ts';
import type { SimulatedClient } from './client.ts';
import type { SimulatedProcess } from './process.ts';

interface Request {
  resolve(client: PooledClient): void;
  reject(error: Error): void;
}

/** Of the driver. */
const defaultMost = 10;

/** As the driver's pool, in what the engine sees of it. */
export class SimulatedPool implements SqlPool {
  readonly #config: PoolConfig;
  readonly #process: SimulatedProcess;
  readonly #makeClient: () => SimulatedClient;
  readonly #all = new Set<SimulatedClient>();
  readonly #idle = new Map<SimulatedClient, HostTimer | undefined>();
  #waiting: Request[] = [];
  #ended: (() => void) | undefined;
  #isEnding = false;

  constructor(options: { config: PoolConfig; process: SimulatedProcess; makeClient: () => SimulatedClient }) {
    this.#config = options.config;
    this.#process = options.process;
    this.#makeClient = options.makeClient;
  }

  connect(): Promise<PooledClient> {
    if (this.#isEnding) return Promise.reject(new Error('Cannot use a pool after calling end on the pool'));
    return new Promise((resolve, reject) => {
      this.#waiting.push(this.#timed({ resolve, reject }));
      this.#serve();
    });
  }

  async query<Row>(query: string | SqlQuery, values?: unknown[]): Promise<SqlResult<Row>> {
    const client = await this.connect();
    try {
      const result = await client.query<Row & Record<string, unknown>>(query, values);
      client.release();
      return result;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  async end(): Promise<void> {
    if (this.#isEnding) throw new Error('Called end on pool more than once');
    this.#isEnding = true;
    for (const client of Array.from(this.#idle.keys())) this.#remove(client);
    if (this.#all.size > 0)
      await new Promise<void>((resolve) => {
        this.#ended = resolve;
      });
  }

  #timed(request: Request): Request {
    const { connectionTimeoutMillis = 0 } = this.#config;
    if (connectionTimeoutMillis === 0) return request;
    const timer = this.#process.host.setTimeout(() => {
      this.#waiting = this.#waiting.filter((each) => each !== timed);
      request.reject(new Error('timeout exceeded when trying to connect'));
    }, connectionTimeoutMillis);
    const timed: Request = {
      resolve: (client) => {
        timer.clear();
        request.resolve(client);
      },
      reject: (error) => {
        timer.clear();
        request.reject(error);
      },
    };
    return timed;
  }

  #serve(): void {
    for (;;) {
      const [idle] = this.#idle.keys();
      const isFull = this.#all.size >= (this.#config.max ?? defaultMost);
      if (this.#waiting.length === 0 || (idle === undefined && isFull)) return;
      const request = this.#waiting.shift();
      if (request === undefined) return;
      if (idle === undefined) this.#open(request);
      else {
        this.#idle.get(idle)?.clear();
        this.#idle.delete(idle);
        request.resolve(this.#lent(idle));
      }
    }
  }

  #open(request: Request): void {
    const client = this.#makeClient();
    this.#all.add(client);
    client.on('error', () => {
      if (this.#idle.has(client)) this.#remove(client);
    });
    client.connect().then(
      () => request.resolve(this.#lent(client)),
      (error: unknown) => {
        this.#all.delete(client);
        request.reject(error instanceof Error ? error : new Error(String(error)));
        this.#serve();
        this.#endIfEmpty();
      },
    );
  }

  #lent(client: SimulatedClient): PooledClient {
    let isReleased = false;
    return {
      query: (query, values) => client.query(query, values),
      release: (destroy = false) => {
        if (isReleased) throw new Error('Release called on client which has already been released to the pool.');
        isReleased = true;
        this.#release(client, destroy);
      },
    };
  }

  #release(client: SimulatedClient, destroy: boolean): void {
    if (destroy || this.#isEnding || !client.isUsable) this.#remove(client);
    else {
      const { idleTimeoutMillis = 10_000 } = this.#config;
      const timer =
        idleTimeoutMillis === 0 || idleTimeoutMillis === null
          ? undefined
          : this.#process.host.setTimeout(() => this.#remove(client), idleTimeoutMillis);
      this.#idle.set(client, timer);
    }
    this.#serve();
  }

  #remove(client: SimulatedClient): void {
    this.#idle.get(client)?.clear();
    this.#idle.delete(client);
    this.#all.delete(client);
    void client.end();
    this.#endIfEmpty();
  }

  #endIfEmpty(): void {
    if (this.#all.size === 0) this.#ended?.();
  }
}
