import type { ClientConfig } from 'pg';
import { processHost, type Host, type HostTimer } from '../base/host.ts';
import type { Logger } from '../base/log.ts';
import { TurnQueue } from '../base/turn-queue.ts';
import { newId } from '../model/ids/uuid.ts';
import { postgresConnector, type Connector, type SqlPool } from '../postgres/sql-client.ts';
import { Neighbours } from '../base/neighbours.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';
import type { TurnOwner } from '../model/ids/turn-owner.ts';

/** A transaction takes a text from the row with this id; by the text itself, as it stands in the transaction's rows. */
export type StagedIds = ReadonlyMap<string, string>;

/** Past it all that wait go with their transactions. */
const statementMs = 10_000;
/**
 * Beside others a tenant's next text waits so many times as long as the last one took: a text costs a core of Postgres 0.1 s,
 * and the lane 10 to 25 ms for the copy. A tenant that is alone does not wait.
 */
const restShare = 3;
/** The mailbox bounds what waits; this only has to be no less. */
const mostWaiting = 1_000_000;

export const insertStaged = { name: 'insert_staged', text: `INSERT INTO staged_payload (id, value) VALUES ($1, $2)` };
export const deleteStaged = {
  name: 'delete_staged',
  text: `DELETE FROM staged_payload s USING unnest($1::uuid[]) AS u (id) WHERE s.id = u.id`,
};

interface Request {
  owner: TurnOwner;
  text: string;
  resolve: (id: string | undefined) => void;
}

/**
 * Stores long texts before the transaction that needs them, one after the other and the tenants in turn: reading and compressing
 * 4 MiB takes Postgres up to 0.1 s, for which the lane would keep everybody waiting. A tenant rests between two where others are. Only a shortcut: a text that could not
 * be stored, or was lost with Postgres, goes with its transaction.
 */
export class StagedPayloads {
  readonly #pool: SqlPool;
  readonly #log: Logger;
  readonly #host: Host;
  readonly #waiting: TurnQueue<TurnOwner, Request>;
  readonly #neighbours = new Neighbours<TurnOwner>();
  #timer: HostTimer | undefined;
  #released: string[] = [];
  #working: Promise<void> | undefined;
  #stopped = false;

  constructor(
    config: ClientConfig,
    log: Logger,
    { host = processHost, connector = postgresConnector }: { host?: Host; connector?: Connector } = {},
  ) {
    this.#log = log;
    this.#host = host;
    this.#waiting = new TurnQueue(mostWaiting, host);
    this.#pool = connector.pool(
      {
        ...config,
        application_name: 'hatchet payloads',
        max: 1,
        statement_timeout: statementMs,
        query_timeout: statementMs,
        idleTimeoutMillis: 30_000,
      },
      log,
    );
  }

  /** A tenant has sent a command. */
  seen(tenantId: TenantId, nowMs = this.#host.monotonicMs()): void {
    this.#neighbours.seen(tenantId, nowMs);
  }

  /** Resolves with those that are stored; the others go with their transaction. */
  async stage(owner: TurnOwner, texts: readonly string[]): Promise<StagedIds> {
    const stored = texts.map(
      (text) =>
        new Promise<string | undefined>((resolve) => {
          if (this.#stopped || !this.#waiting.push(owner, { owner, text, resolve })) resolve(undefined);
        }),
    );
    this.#start();
    const ids = await Promise.all(stored);
    const staged = new Map<string, string>();
    for (const [index, text] of texts.entries()) {
      const id = ids[index];
      if (id !== undefined) staged.set(text, id);
    }
    return staged;
  }

  /** Their command is answered. */
  release(staged: StagedIds): void {
    if (staged.size === 0) return;
    this.#released.push(...staged.values());
    this.#start();
  }

  /** What waits, and what comes, goes with its transaction. */
  stop(): void {
    this.#stopped = true;
    this.#giveUp();
  }

  /** After the last release. */
  async close(): Promise<void> {
    this.stop();
    this.#timer?.clear();
    await this.#working;
    await this.#pool.end();
  }

  #giveUp(): void {
    for (const { resolve } of this.#waiting.clear()) resolve(undefined);
  }

  #start(): void {
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  async #work(): Promise<void> {
    for (;;) {
      const released = this.#released;
      this.#released = [];
      if (released.length > 0)
        await this.#pool
          .query({ ...deleteStaged, values: [released] })
          .catch((error: unknown) =>
            this.#log.debug({ err: error }, 'staged payloads are left for the hourly clearing'),
          );
      const request = this.#waiting.shift();
      if (request !== undefined) await this.#serve(request);
      else if (this.#released.length === 0) return this.#wakeAfterRest();
    }
  }

  async #serve({ owner, text, resolve }: Request): Promise<void> {
    const startedAt = this.#host.monotonicMs();
    resolve(await this.#store(text));
    const nowMs = this.#host.monotonicMs();
    if (this.#neighbours.others(owner, nowMs)) this.#waiting.rest(owner, (nowMs - startedAt) * restShare);
  }

  #wakeAfterRest(): void {
    this.#timer?.clear();
    const { restMs } = this.#waiting;
    if (restMs !== undefined) this.#timer = this.#host.setTimeout(() => this.#start(), restMs);
  }

  async #store(text: string): Promise<string | undefined> {
    const id = newId();
    try {
      await this.#pool.query({ ...insertStaged, values: [id, text] });
      return id;
    } catch (error) {
      this.#log.debug({ err: error }, 'payloads could not be staged and go with their transactions');
      this.#giveUp();
      return undefined;
    }
  }
}
