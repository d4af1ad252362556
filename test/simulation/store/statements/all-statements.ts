import type { StatementModel } from '../statement.ts';
import { durableLogStatements } from './durable-logs.ts';
import { factStatements } from './facts.ts';
import { leaseStatements } from './lease.ts';
import { payloadStatements } from './payloads.ts';
import { recoveryStatements } from './recovery.ts';
import { runResultStatements } from './run-results.ts';
import { transactionRows } from './transaction-rows.ts';
import { transactionWrites } from './transaction-writes.ts';

/** Every statement that the engine's owner, dispatcher, durable streams and sessions send, by its text. */
export const statementModels: ReadonlyMap<string, StatementModel> = new Map(
  [
    ...leaseStatements,
    ...transactionWrites,
    ...transactionRows,
    ...recoveryStatements,
    ...factStatements,
    ...durableLogStatements,
    ...payloadStatements,
    ...runResultStatements,
  ].map((model) => [model.text, model]),
);
