import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLog } from '../../../engine/base/log.ts';
import type { Connector, SqlClient } from '../../../engine/postgres/sql-client.ts';
import { LeaseConnection } from '../../../engine/shard/ownership/lease-connection.ts';

let connected: number;
let isRefusing: boolean;
let clients: Set<() => void>;

/** As the driver's client: one that is cut says that it is lost. Statements in an object are those of the lease. */
function client(): SqlClient {
  const listeners: ((error: Error) => void)[] = [];
  const lose = (): void => {
    clients.delete(lose);
    setTimeout(() => {
      for (const listener of listeners) listener(new Error('the connection is lost'));
    });
  };
  clients.add(lose);
  return {
    connect: async () => void connected++,
    query: async (query) => {
      if (isRefusing && typeof query === 'object') throw new Error('read-only');
      return { rows: [], rowCount: 0, command: '' };
    },
    on: (_: 'error', listener: (error: Error) => void) => listeners.push(listener),
    onNotification: () => undefined,
    end: async () => undefined,
    cut: lose,
    transaction: async () => ({ done: 0, failure: undefined, end: undefined }),
  };
}

const connector: Connector = {
  client,
  pool: () => {
    throw new Error('the lease has no pool');
  },
};

let lease: LeaseConnection;

beforeEach(async () => {
  vi.useFakeTimers();
  connected = 0;
  isRefusing = false;
  clients = new Set();
  lease = new LeaseConnection({
    config: {},
    owner: 'owner',
    log: createLog('silent'),
    onBeat: () => lease.run(async (sql) => void (await sql.query({ text: 'renew' }))),
    connector,
  });
  await lease.start();
});

afterEach(async () => {
  isRefusing = false;
  await lease.close();
  vi.useRealTimers();
});

it('tries again by its timer where Postgres refuses the renewal, not over and over', async () => {
  isRefusing = true;
  await vi.advanceTimersByTimeAsync(15_000);
  expect(connected).toBeGreaterThan(5);
  expect(connected).toBeLessThanOrEqual(11);
});

it('connects at once where the connection is lost', async () => {
  await vi.advanceTimersByTimeAsync(10);
  expect(connected).toBe(1);
  for (const lose of clients) lose();
  await vi.advanceTimersByTimeAsync(10);
  expect(connected).toBe(2);
});
