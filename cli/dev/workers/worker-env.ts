import type { ResolvedTls } from '../../../sdk/config/resolve-tls.ts';
import type { Connection } from '../../connection/resolve-connection.ts';

const presetLabels = 'HATCHET_CLIENT_WORKER_PRESET_LABELS';

type Env = Readonly<Record<string, string | undefined>>;

/** A worker's environment: where its engine is beats the caller's, which beats the env file's, as with `node --env-file`. */
export function workerEnv(
  base: Env,
  file: Env,
  connection: Pick<Connection, 'address' | 'token' | 'tls' | 'apiUrl' | 'namespace' | 'profile'>,
): Record<string, string | undefined> {
  // What the environment says of its engine is not about that of a profile.
  const kept = (env: Env): Env =>
    connection.profile === undefined
      ? env
      : Object.fromEntries(Object.entries(env).filter(([name]) => !/^HATCHET_CLIENT_(?:TLS_|NAMESPACE$)/.test(name)));
  return {
    ...kept(file),
    ...kept(base),
    HATCHET_CLIENT_TOKEN: connection.token,
    HATCHET_CLIENT_HOST_PORT: connection.address,
    HATCHET_CLIENT_API_URL: connection.apiUrl,
    HATCHET_CLIENT_TLS_STRATEGY: connection.tls.strategy,
    ...tlsFiles(connection.tls),
    ...(connection.namespace === undefined ? {} : { HATCHET_CLIENT_NAMESPACE: connection.namespace }),
  };
}

/**
 * The environment of one process: its workers carry its id as a label, so that the engine knows whose end it is told of. By
 * the variable that Hatchet's SDKs read too; a value of it that is no JSON is left for the SDK to refuse.
 */
export function processEnv(env: Env, id: string): Record<string, string | undefined> {
  const given = env[presetLabels];
  try {
    const own: unknown = given === undefined || given === '' ? {} : JSON.parse(given);
    return { ...env, [presetLabels]: JSON.stringify({ ...Object(own), hatchet__process: id }) };
  } catch {
    return env;
  }
}

/** What the connection does not say stays as the environment has it. */
function tlsFiles({ caFile, certFile, keyFile, serverName }: ResolvedTls): Record<string, string> {
  const values = { ROOT_CA_FILE: caFile, CERT_FILE: certFile, KEY_FILE: keyFile, SERVER_NAME: serverName };
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      value === undefined ? [] : [[`HATCHET_CLIENT_TLS_${name}`, value]],
    ),
  );
}
