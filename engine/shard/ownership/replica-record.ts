import type { Sql } from '../../postgres/sql-client.ts';

/** Where an engine takes calls from the other engines on its database. */
export interface ReplicaAddress {
  /** `host:port` of its gRPC port. */
  grpc: string;
  /** `host:port` of its HTTP port. */
  http: string;
  /** The certificate that it serves, in PEM; null where it speaks plain text. */
  certificate: string | null;
}

export const writeReplica = {
  name: 'write_replica',
  text: `
    INSERT INTO replica (id, grpc_address, http_address, certificate) VALUES ($1, $2, $3, $4)
    ON CONFLICT (id) DO UPDATE SET grpc_address = excluded.grpc_address, http_address = excluded.http_address, certificate = excluded.certificate`,
};

export async function storeReplica(client: Sql, owner: string, { grpc, http, certificate }: ReplicaAddress): Promise<void> {
  await client.query({ ...writeReplica, values: [owner, grpc, http, certificate] });
}

export const dropReplica = { name: 'drop_replica', text: `DELETE FROM replica WHERE id = $1` };

/** The others pass no more calls on to it, and leave it no part of the shards. */
export async function withdrawReplica(client: Sql, owner: string): Promise<void> {
  await client.query({ ...dropReplica, values: [owner] });
}
