import type { StatementModel } from '../statement.ts';
import { durableLogStatements } from './durable-logs.ts';
import { factStatements } from './facts.ts';
import { leaseStatements } from './lease.ts';
import { payloadStatements } from './payloads.ts';
import { recoveryStatements } from './recovery.ts';
import { transactionRows } from './transaction-rows.ts';
import { transactionWrites } from './transaction-writes.ts';

/** Every statement that the engine's owner, dispatcher and durable streams send, by its text. */
export const statementModels: ReadonlyMap<string, StatementModel> = new Map(
  [
    ...leaseStatements,
    ...transactionWrites,
    ...transactionRows,
    ...recoveryStatements,
    ...factStatements,
    ...durableLogStatements,
    ...payloadStatements,
  ].map((model) => [model.text, model]),
);
