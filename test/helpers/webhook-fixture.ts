import { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { afterAll, beforeAll } from 'vitest';
import type { RunningEngine } from '../../engine/index.ts';
import { engineFixture, type EngineFixture } from './engine-fixture.ts';

interface Answer {
  status: number;
  body: ReturnType<typeof Object>;
}

/** An engine whose webhooks the published SDK makes, with a task that listens to every event `hook:*`. */
class WebhookFixture {
  readonly fixture: EngineFixture<RunningEngine>;
  /** What the runs of the listener were given. */
  readonly seen: unknown[] = [];
  #hatchet: HatchetClient | undefined;
  #worker: Awaited<ReturnType<HatchetClient['worker']>> | undefined;

  constructor(fixture: EngineFixture<RunningEngine>) {
    this.fixture = fixture;
  }

  get hatchet(): HatchetClient {
    if (this.#hatchet === undefined) throw new Error('the fixture has not started yet: use it in hooks and tests');
    return this.#hatchet;
  }

  /** As the sender of a webhook does it. */
  readonly post = async (
    name: string,
    options: { body: string; headers?: Record<string, string>; tenant?: string },
  ): Promise<Answer> => {
    const tenant = options.tenant ?? this.hatchet.tenantId;
    const response = await fetch(
      `http://127.0.0.1:${this.fixture.engine.http.port}/api/v1/stable/tenants/${tenant}/webhooks/${name}`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...options.headers },
        body: options.body,
      },
    );
    return { status: response.status, body: Object(await response.json()) };
  };

  readonly rest = async (
    method: string,
    path: string,
    options: { body?: unknown; token?: string } = {},
  ): Promise<Answer> => {
    const response = await fetch(`http://127.0.0.1:${this.fixture.engine.http.port}${path}`, {
      method,
      headers: { authorization: `Bearer ${options.token ?? this.fixture.token}` },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    return { status: response.status, body: Object(await response.json()) };
  };

  /** How many are stored. */
  readonly events = async (): Promise<number> => {
    const { rows } = await this.fixture.database.pool.query<{ n: number }>('SELECT count(*)::int AS n FROM event');
    return rows[0]?.n ?? -1;
  };

  async listen(): Promise<void> {
    process.env['HATCHET_CLIENT_LOG_LEVEL'] = 'OFF';
    this.#hatchet = HatchetClient.init({ token: this.fixture.token, tls_config: { tls_strategy: 'none' } });
    const listener = this.#hatchet.task({
      name: 'listener',
      onEvents: ['hook:*'],
      fn: (input: object) => {
        this.seen.push(input);
        return {};
      },
    });
    this.#worker = await this.#hatchet.worker('webhooks', { workflows: [listener], handleKill: false });
    void this.#worker.start();
    await this.#worker.waitUntilReady();
  }

  async hangUp(): Promise<void> {
    await this.#worker?.stop();
  }
}

/** For the tests of the file that calls it. */
export function webhookFixture(name: string): WebhookFixture {
  const webhooks = new WebhookFixture(engineFixture(name));
  beforeAll(() => webhooks.listen());
  afterAll(() => webhooks.hangUp());
  return webhooks;
}
