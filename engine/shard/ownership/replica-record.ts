import type { ReplicaAddress } from '../../model/replica.ts';
import type { Sql } from '../../postgres/sql-client.ts';

export const writeReplica = {
  name: 'write_replica',
  text: `
    INSERT INTO replica (id, grpc_address, http_address, certificate) VALUES ($1, $2, $3, $4)
    ON CONFLICT (id) DO UPDATE SET grpc_address = excluded.grpc_address, http_address = excluded.http_address, certificate = excluded.certificate`,
};

export async function storeReplica(
  client: Sql,
  owner: string,
  { grpc, http, certificate }: ReplicaAddress,
): Promise<void> {
  await client.query({ ...writeReplica, values: [owner, grpc, http, certificate] });
}

export const dropReplica = { name: 'drop_replica', text: `DELETE FROM replica WHERE id = $1` };

/** The others pass no more calls on to it, and leave it no part of the shards. */
export async function withdrawReplica(client: Sql, owner: string): Promise<void> {
  await client.query({ ...dropReplica, values: [owner] });
}

const readReplica = { name: 'read_replica', text: `SELECT certificate FROM replica WHERE id = $1` };

/** The certificate that an engine serves. @throws Error for one that has gone */
export async function readCertificate(client: Sql, id: string): Promise<string | null> {
  const { rows } = await client.query<{ certificate: string | null }>({ ...readReplica, values: [id] });
  const [row] = rows;
  if (row === undefined) throw new Error(`the engine ${id} takes no calls any more`);
  return row.certificate;
}
