import type { ResolvedTls } from '../../sdk/config/resolve-tls.ts';
import type { Connection } from '../connection/resolve-connection.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** A worker's environment: where its engine is beats the caller's, which beats the env file's, as with `node --env-file`. */
export function workerEnv(base: Env, file: Env, connection: Pick<Connection, 'address' | 'token' | 'tls' | 'apiUrl' | 'namespace'>): Record<string, string | undefined> {
  return {
    ...file,
    ...base,
    HATCHET_CLIENT_TOKEN: connection.token,
    HATCHET_CLIENT_HOST_PORT: connection.address,
    HATCHET_CLIENT_API_URL: connection.apiUrl,
    HATCHET_CLIENT_TLS_STRATEGY: connection.tls.strategy,
    ...tlsFiles(connection.tls),
    ...(connection.namespace === undefined ? {} : { HATCHET_CLIENT_NAMESPACE: connection.namespace }),
  };
}

/** What the connection does not say stays as the environment has it. */
function tlsFiles({ caFile, certFile, keyFile, serverName }: ResolvedTls): Record<string, string> {
  const values = { ROOT_CA_FILE: caFile, CERT_FILE: certFile, KEY_FILE: keyFile, SERVER_NAME: serverName };
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[`HATCHET_CLIENT_TLS_${name}`, value]])));
}
