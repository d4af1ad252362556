import type { Sql, SqlClient } from '../../postgres/sql-client.ts';

/**
 * Tells the other engines on this database that shards have changed hands, so that they look at once rather than with their
 * next renewal. Behind a pooler that passes no notifications on they look as often as they renew, each 1.5 s.
 */
export const channel = 'hatchet_shards';

export const listenToShards = `LISTEN ${channel}`;

export const tellOfShards = { name: 'tell_of_shards', text: `SELECT pg_notify('${channel}', $1::text)` };

/** @param told shards have changed hands, and this owner has not done it */
export async function listenForShards(client: SqlClient, owner: string, told: () => void): Promise<void> {
  client.onNotification((by) => {
    if (by !== owner) told();
  });
  await client.query(listenToShards);
}

export async function tellOthers(client: Sql, owner: string): Promise<void> {
  await client.query({ ...tellOfShards, values: [owner] });
}
