import type { Connection } from '../connection/resolve-connection.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** A worker's environment: the caller's, then the env file's, then where its engine is. */
export function workerEnv(base: Env, file: Env, connection: Pick<Connection, 'address' | 'token' | 'tls' | 'apiUrl' | 'namespace'>): Record<string, string | undefined> {
  return {
    ...base,
    ...file,
    HATCHET_CLIENT_TOKEN: connection.token,
    HATCHET_CLIENT_HOST_PORT: connection.address,
    HATCHET_CLIENT_API_URL: connection.apiUrl,
    HATCHET_CLIENT_TLS_STRATEGY: connection.tls ? 'tls' : 'none',
    ...(connection.namespace === undefined ? {} : { HATCHET_CLIENT_NAMESPACE: connection.namespace }),
  };
}
