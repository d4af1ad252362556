import type { CliContext } from '../cli-context.ts';
import { resolveConnection, type ConnectionFlags } from '../connection/resolve-connection.ts';
import { openReader } from './open-reader.ts';
import type { RunReader } from './run-reader.ts';

/** Runs a read against the engine that the flags and the environment name, and closes the channel after it. */
export async function withReader<T>(
  context: CliContext,
  flags: ConnectionFlags,
  read: (reader: RunReader) => Promise<T>,
): Promise<T> {
  const reader = openReader(resolveConnection(context, flags));
  try {
    return await read(reader);
  } finally {
    reader.close();
  }
}
