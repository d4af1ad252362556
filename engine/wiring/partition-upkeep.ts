import { Client } from 'pg';
import type { Logger } from '../base/log.ts';
import { connectionConfig } from '../postgres/connect.ts';
import { dropExpiredRows } from '../postgres/schema/expired-rows.ts';
import { dropExpiredPartitions } from '../postgres/schema/drop-expired-partitions.ts';
import { postgresTimeMs } from '../postgres/postgres-clock.ts';
import { preparePartitions } from '../postgres/schema/prepare-partitions.ts';

const everyMs = 3_600_000;
/** Where the clocks of Postgres and of this machine disagree by more, one of them is wrong, and nobody knows which. */
const disagreementMs = 3_600_000;

interface MaintenanceOptions {
  databaseUrl: string;
  retentionDays: number;
  auditDays: number;
  log: Logger;
  /** The clock of this machine. */
  wallMs?: () => number;
}

/** Keeps day partitions ahead of Postgres's time, and drops those past the retention. Hourly, on a connection of its own. */
export class Maintenance {
  readonly #options: MaintenanceOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(options: MaintenanceOptions) {
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
        if (!this.#isSure(nowMs)) return;
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

  /** What is dropped is gone: not by a clock that may be wrong. */
  #isSure(nowMs: number): boolean {
    const aheadMs = nowMs - (this.#options.wallMs ?? Date.now)();
    if (Math.abs(aheadMs) <= disagreementMs) return true;
    this.#options.log.warn(
      { aheadMs: Math.round(aheadMs) },
      "nothing is dropped by the retention: Postgres's clock and this machine's disagree by more than an hour. Set both by NTP",
    );
    return false;
  }

  async #connected(work: (client: Client, nowMs: number) => Promise<unknown>): Promise<void> {
    const client = new Client(connectionConfig(this.#options.databaseUrl, 'hatchet maintenance'));
    client.on('error', () => undefined);
    await client.connect();
    try {
      await work(client, Math.floor(await postgresTimeMs(client)));
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
