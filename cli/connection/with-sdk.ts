import { Hatchet } from '../../sdk/index.ts';
import type { CliContext } from '../cli-context.ts';
import { resolveConnection, type Connection, type ConnectionFlags } from './resolve-connection.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** Runs work with a client of the engine that the flags name, and closes it. */
export async function withSdk<T>(context: CliContext, flags: ConnectionFlags, work: (hatchet: Hatchet) => Promise<T>): Promise<T> {
  const hatchet = sdkOf(resolveConnection(context, flags));
  try {
    return await work(hatchet);
  } finally {
    hatchet.close();
  }
}

/** A client that writes no log: commands say themselves what happened. */
export function sdkOf({ address, token, tls, apiUrl, namespace }: Connection): Hatchet {
  return Hatchet.init({ token, hostPort: address, apiUrl, tlsConfig: tls, logger: () => silent, ...(namespace === undefined ? {} : { namespace }) });
}
