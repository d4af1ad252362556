import { Client, Pool } from 'pg';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { createTestDatabase, type DatabaseOptions, type TestDatabase } from './test-database.ts';

/** A database of its own, and what tests talk to it with: made when first asked for. */
export class DatabaseFixture {
  readonly #options: DatabaseOptions;
  #database: TestDatabase | undefined;
  #client: Client | undefined;
  #pool: Pool | undefined;

  constructor(options: DatabaseOptions) {
    this.#options = options;
  }

  get url(): string {
    if (this.#database === undefined) throw new Error('the fixture has not started yet: use it in hooks and tests');
    return this.#database.url;
  }

  /** One session, for transactions and settings. It connects by itself: pg keeps the first query until it has. */
  get client(): Client {
    if (this.#client === undefined) {
      this.#client = new Client({ connectionString: this.url });
      void this.#client.connect();
    }
    return this.#client;
  }

  get pool(): Pool {
    return (this.#pool ??= new Pool({ connectionString: this.url }));
  }

  async start(): Promise<void> {
    this.#database = await createTestDatabase(this.#options);
  }

  /** Ends its own connections, and with them what their transactions lock. */
  async disconnect(): Promise<void> {
    const [client, pool] = [this.#client, this.#pool];
    this.#client = this.#pool = undefined;
    await client?.end();
    await pool?.end();
  }

  async stop(): Promise<void> {
    await this.disconnect();
    await this.#database?.drop();
  }
}

/**
 * For the tests of the file or the `describe` that calls it. It starts before what is prepared below the call, and stops
 * after what is cleaned up there.
 */
export function databaseFixture(options: DatabaseOptions = {}): DatabaseFixture {
  const fixture = new DatabaseFixture(options);
  beforeAll(() => fixture.start());
  afterAll(() => fixture.stop());
  return fixture;
}

/** For the test that calls it, or whose `beforeEach` does. It stops after every `afterEach`. */
export async function databaseForTest(options: DatabaseOptions = {}): Promise<DatabaseFixture> {
  const fixture = new DatabaseFixture(options);
  onTestFinished(() => fixture.stop());
  await fixture.start();
  return fixture;
}
