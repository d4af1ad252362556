import type { ClientBase } from 'pg';
import { faults } from '../base/faults.ts';
import type { Logger } from '../base/log.ts';
import { isRefusedValue } from '../model/payload/refused-value.ts';

/** Counts, and logs, the statements of a connection that Postgres refuses because of a value. */
export function countRefusals(client: ClientBase & { readonly connection?: unknown }, log: Logger): void {
  const { connection } = client;
  if (!isEmitter(connection)) return;
  connection.on('errorMessage', (error: unknown) => {
    const sqlstate = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
    if (!isRefusedValue(sqlstate)) return;
    faults.statementsRefused++;
    log.error(
      { err: error, sqlstate, code: 'STATEMENT_REFUSED' },
      'Postgres refused a value that the engine should have refused before: this is a bug',
    );
  });
}

function isEmitter(value: unknown): value is { on(event: string, listener: (value: unknown) => void): unknown } {
  return typeof value === 'object' && value !== null && 'on' in value && typeof value.on === 'function';
}
