/** Of the embedded server. Durability is never traded away; WAL is given room, since checkpoints cost more than disk. */
const settings: Record<string, string> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '60',
  shared_buffers: '128MB',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  max_wal_size: '4GB',
  min_wal_size: '256MB',
  wal_compression: 'on',
  checkpoint_completion_target: '0.9',
  jit: 'off',
  autovacuum_naptime: '15s',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_destination: 'stderr',
  log_min_messages: 'warning',
  // A failed statement may hold a user's payload.
  log_min_error_statement: 'panic',
  // So does the line of a COPY, which the context of an error quotes.
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
};

/** @param changes settings in place of these */
export function serverFlags(port: number, changes: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries({ ...settings, ...changes, port: String(port) }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
}
