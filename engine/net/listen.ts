import type { Server, Socket } from 'node:net';
import type { Address } from '../base/engine-options.ts';
import { portTaken, type PortKind } from './port-taken.ts';

/** Connections that another process has accepted, and hands over. */
export interface SocketSource {
  /** @param take gets each connection of the port from now on */
  onSocket(kind: PortKind, take: (socket: Socket) => void): void;
}

/**
 * Listens, or takes the connections that are handed over.
 * @returns where clients reach it: with a port that the system has chosen in place of 0
 * @throws HatchetError PORT_TAKEN
 */
export function listen(
  server: Server,
  kind: PortKind | 'metrics',
  { host, port, sockets }: Address & { sockets?: SocketSource | undefined },
): Promise<Address> {
  if (sockets !== undefined && kind !== 'metrics') {
    sockets.onSocket(kind, (socket) => server.emit('connection', socket));
    return Promise.resolve({ host, port });
  }
  return new Promise((resolve, reject) => {
    const onError = (cause: Error): void => reject(portTaken(kind, { host, port }, cause));
    server.once('error', onError);
    server.listen({ host, port }, () => {
      server.off('error', onError);
      const address = server.address();
      resolve({ host, port: typeof address === 'object' && address !== null ? address.port : port });
    });
  });
}
