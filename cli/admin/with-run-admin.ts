import type { CliContext } from '../cli-context.ts';
import { resolveConnection, type ConnectionFlags } from '../connection/resolve-connection.ts';
import { openReader } from '../monitor/open-reader.ts';
import type { RunReader } from '../monitor/run-reader.ts';
import { RunAdmin } from './run-admin.ts';

/** Runs work that changes runs of the engine which the flags name, and closes its channels after it. */
export async function withRunAdmin<T>(
  context: CliContext,
  flags: ConnectionFlags,
  work: (parts: { admin: RunAdmin; reader: RunReader }) => Promise<T>,
): Promise<T> {
  const connection = resolveConnection(context, flags);
  const reader = openReader(connection);
  const admin = new RunAdmin(connection);
  try {
    return await work({ admin, reader });
  } finally {
    admin.close();
    reader.close();
  }
}
