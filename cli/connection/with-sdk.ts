import { Hatchet } from '../../sdk/index.ts';
import type { CliContext } from '../cli-context.ts';
import { resolveConnection, type Connection, type ConnectionFlags } from './resolve-connection.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** Runs work with a client of the engine that the flags name, and closes it. */
export async function withSdk<T>(
  context: CliContext,
  flags: ConnectionFlags,
  work: (hatchet: Hatchet) => Promise<T>,
): Promise<T> {
  const hatchet = sdkOf(resolveConnection(context, flags));
  try {
    return await work(hatchet);
  } finally {
    hatchet.close();
  }
}

/** What the SDK takes of the environment where it is not told otherwise. */
const ofEnvironment = [
  'NAMESPACE',
  'TLS_STRATEGY',
  'TLS_ROOT_CA_FILE',
  'TLS_CERT_FILE',
  'TLS_KEY_FILE',
  'TLS_SERVER_NAME',
];

/** A client that writes no log: commands say themselves what happened. */
export function sdkOf({ address, token, tls, apiUrl, namespace, profile }: Connection): Hatchet {
  // The environment is about another engine then. Workers are given the copy of it that was made when the process began.
  if (profile !== undefined) for (const name of ofEnvironment) delete process.env[`HATCHET_CLIENT_${name}`];
  return Hatchet.init({
    token,
    hostPort: address,
    apiUrl,
    tlsConfig: tls,
    logger: () => silent,
    ...(namespace === undefined ? {} : { namespace }),
  });
}
