/** Where an engine takes calls from the other engines on its database. */
export interface ReplicaAddress {
  /** `host:port` of its gRPC port. */
  grpc: string;
  /** `host:port` of its HTTP port. */
  http: string;
  /** The certificate that it serves, in PEM; null where it speaks plain text. */
  certificate: string | null;
}

/** Another engine on this database that is alive and takes calls. */
export interface Peer {
  id: string;
  grpc: string;
  http: string;
}
