import { Client } from 'pg';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { connectionConfig } from '../postgres/connect.ts';
import { dropExpiredRows } from '../postgres/expired-rows.ts';
import { dropExpiredPartitions } from '../postgres/expired-partitions.ts';
import { preparePartitions } from '../postgres/partitions.ts';

const everyMs = 3_600_000;

/** Keeps day partitions ahead of time, and drops those past the retention. Hourly, on a connection of its own. */
export class Maintenance {
  readonly #options: { databaseUrl: string; retentionDays: number; auditDays: number; clock: Clock; log: Logger };
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(options: { databaseUrl: string; retentionDays: number; auditDays: number; clock: Clock; log: Logger }) {
    this.#options = options;
  }

  /** What must be there before the first row. */
  async prepare(): Promise<void> {
    await this.#connected((client, nowMs) => preparePartitions(client, nowMs));
  }

  start(): void {
    const run = (): void => {
      this.#running ??= this.#keep().finally(() => {
        this.#running = undefined;
      });
    };
    this.#timer = setInterval(run, everyMs);
    run();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  async #keep(): Promise<void> {
    try {
      await this.#connected(async (client, nowMs) => {
        await preparePartitions(client, nowMs);
        const dropped = await dropExpiredPartitions(client, {
          nowMs,
          retentionDays: this.#options.retentionDays,
          auditDays: this.#options.auditDays,
        });
        await dropExpiredRows(client, { nowMs, retentionDays: this.#options.retentionDays });
        if (dropped.length > 0) this.#options.log.info({ partitions: dropped }, 'expired partitions dropped');
      });
    } catch (error) {
      this.#options.log.warn({ err: error }, 'partitions could not be kept; trying again within the hour');
    }
  }

  async #connected(work: (client: Client, nowMs: number) => Promise<unknown>): Promise<void> {
    const client = new Client(connectionConfig(this.#options.databaseUrl, 'hatchet maintenance'));
    client.on('error', () => undefined);
    await client.connect();
    try {
      await work(client, Math.floor(this.#options.clock.nowUs() / 1000));
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
