import { status } from '@grpc/grpc-js';
import { MonitorServiceClient } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { ServerError } from '../output/server-error.ts';
import { Channel } from './channel.ts';
import type { Connection } from './resolve-connection.ts';

/** By address: whether an engine has our monitoring service, once it has answered. */
const known = new Map<string, boolean>();

/** It answered as an engine that has no such service. */
export function lacksMonitor(error: unknown): boolean {
  return error instanceof ServerError && error.status === status.UNIMPLEMENTED;
}

/** What was learnt by a call. */
export function noteMonitor({ address }: Pick<Connection, 'address'>, isThere: boolean): void {
  known.set(address, isThere);
}

/** Undefined while nothing was asked of it. */
export function knownMonitor({ address }: Pick<Connection, 'address'>): boolean | undefined {
  return known.get(address);
}

/** Whether an engine is one of ours: asked once. @throws ServerError where it does not answer */
export async function offersMonitor(connection: Connection): Promise<boolean> {
  const before = knownMonitor(connection);
  if (before !== undefined) return before;
  const channel = new Channel(MonitorServiceClient, connection);
  try {
    await channel.call((client, ...rest) => client.listWorkflows({ limit: 1 }, ...rest));
    noteMonitor(connection, true);
  } catch (error) {
    if (!lacksMonitor(error)) throw error;
    noteMonitor(connection, false);
  } finally {
    channel.close();
  }
  return knownMonitor(connection) === true;
}
