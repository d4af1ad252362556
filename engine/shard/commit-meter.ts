/** Whom the owner tells how transactions fare. Nothing of it decides anything. */
export interface CommitMeter {
  /** Nobody asks: nothing is measured. */
  readonly isOn: boolean;
  /** @param ms from when it was sent until it was stored */
  stored(transaction: { ms: number; commands: number; rows: number }): void;
  /** Postgres said no to a transaction. */
  refused(): void;
  /** The connection of the lane was lost. */
  lost(): void;
  /** There is another. */
  reconnected(): void;
}
