import { Hatchet } from '../../sdk/index.ts';
import type { CliContext } from '../cli-context.ts';
import { resolveConnection, type ConnectionFlags } from './resolve-connection.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** Runs work with a client of the engine that the flags name, and closes it. */
export async function withSdk<T>(context: CliContext, flags: ConnectionFlags, work: (hatchet: Hatchet) => Promise<T>): Promise<T> {
  const { address, token, tls, apiUrl, namespace } = resolveConnection(context, flags);
  const hatchet = Hatchet.init({ token, hostPort: address, apiUrl, tlsConfig: { strategy: tls ? 'tls' : 'none' }, logger: () => silent, ...(namespace === undefined ? {} : { namespace }) });
  try {
    return await work(hatchet);
  } finally {
    hatchet.close();
  }
}
