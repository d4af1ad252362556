import { DurationHistogram } from './duration-histogram.ts';
import type { Sheet } from './sheet.ts';

const commitSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** How transactions fare. Failures are rare, and counted whether metrics are on or not. */
export class CommitCounts {
  isOn = false;
  readonly #seconds = new DurationHistogram(commitSeconds);
  #commands = 0;
  #rows = 0;
  #refused = 0;
  #lost = 0;
  #reconnects = 0;

  stored({ ms, commands, rows }: { ms: number; commands: number; rows: number }): void {
    this.#seconds.add(ms / 1000);
    this.#commands += commands;
    this.#rows += rows;
  }

  refused(): void {
    this.#refused++;
  }

  lost(): void {
    this.#lost++;
  }

  reconnected(): void {
    this.#reconnects++;
  }

  write(sheet: Sheet): void {
    sheet.set('hatchet_transactions_total', {}, this.#seconds.count);
    sheet.set('hatchet_transaction_commands_total', {}, this.#commands);
    sheet.set('hatchet_transaction_rows_total', {}, this.#rows);
    sheet.histogram('hatchet_transaction_seconds', {}, this.#seconds);
    sheet.set('hatchet_postgres_errors_total', { kind: 'refused' }, this.#refused);
    sheet.set('hatchet_postgres_errors_total', { kind: 'lost' }, this.#lost);
    sheet.set('hatchet_postgres_reconnects_total', {}, this.#reconnects);
  }
}
