import { Socket } from 'node:net';
import type { PortKind } from '../net/port-taken.ts';
import type { SocketSource } from '../net/listen.ts';

/** What comes with a connection that is handed over. */
export interface GivenSocket {
  port: PortKind;
}

/** In an edge process: the connections that its engine has accepted. */
export function givenSockets(): SocketSource {
  const takers = new Map<PortKind, (socket: Socket) => void>();
  process.on('message', (message: GivenSocket, handle) => {
    // A client that has gone meanwhile leaves no handle.
    if (!(handle instanceof Socket)) return;
    handle.setNoDelay(true);
    const take = takers.get(message.port);
    if (take === undefined) handle.destroy();
    else take(handle);
  });
  return { onSocket: (kind, take) => void takers.set(kind, take) };
}
