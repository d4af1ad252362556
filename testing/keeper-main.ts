/**
 * The keeper as a process: `node dist/testing/keeper-main.js <address>`. It ends with its last user, whatever ended that.
 * stderr: why it could not start.
 */
import { PostgresKeeper } from './postgres-keeper.ts';

process.stderr.on('error', () => undefined); // whoever started it may be gone
// A Ctrl+C is for the tests; their ends are this one's.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.umask(0o077);
await PostgresKeeper.open(process.argv[2] ?? '');
