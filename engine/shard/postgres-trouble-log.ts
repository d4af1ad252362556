import type { Logger } from '../base/log.ts';

/** SQLSTATE `disk_full`. */
const diskFull = '53100';

/** Says in the log when Postgres fails and when it is back, with codes that a program can watch for: POSTGRES_LOST, DISK_FULL, POSTGRES_BACK. */
export class PostgresTroubleLog {
  readonly #log: Logger;
  #isOn = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  lost(err: unknown, message: string): void {
    this.#isOn = true;
    this.#log.warn({ err, code: 'POSTGRES_LOST' }, message);
  }

  refused(err: unknown, sqlstate: string): void {
    const isFull = sqlstate === diskFull;
    this.#isOn ||= isFull;
    this.#log.warn(
      { err, sqlstate, ...(isFull ? { code: 'DISK_FULL' } : {}) },
      'Postgres could not take a transaction now; it is tried again',
    );
  }

  over(): void {
    if (!this.#isOn) return;
    this.#isOn = false;
    this.#log.info({ code: 'POSTGRES_BACK' }, 'Postgres takes transactions again');
  }
}
