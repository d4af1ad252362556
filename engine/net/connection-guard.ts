import type { Server, Socket } from 'node:net';

export interface ConnectionLimits {
  /** Of one port; more are refused by the system's own means: they are closed at once. */
  connections: number;
  /** Of them, those that have not authenticated: over it, the one that waits longest is closed. */
  strangers: number;
  /** In which a stranger has to end its handshake and make a call with a good token. Milliseconds. */
  strangerMs: number;
  /** What a stranger may send until then: a handshake and a call's headers are a few KB. */
  strangerBytes: number;
}

export const connectionLimits: ConnectionLimits = {
  connections: 10_000,
  strangers: 1_000,
  strangerMs: 10_000,
  strangerBytes: 1024 * 1024,
};

/** Between two looks at what strangers have sent, while there are any. Milliseconds. */
const lookMs = 100;

/**
 * Ends connections that say nothing, or nothing good. There is no limit per address: behind a proxy all have the same.
 * A connection that has authenticated stays as long as it likes; the server's own idle time counts then.
 */
export class ConnectionGuard {
  readonly #limits: ConnectionLimits;
  readonly #sockets = new Set<Socket>();
  /** By `address:port`, in the order in which they came. */
  readonly #strangers = new Map<string, { socket: Socket; timer: NodeJS.Timeout }>();
  #look: NodeJS.Timeout | undefined;

  constructor(limits: ConnectionLimits = connectionLimits) {
    this.#limits = limits;
  }

  /** Of a TLS server too: its sockets are counted from before their handshake. */
  watch(server: Server): void {
    server.maxConnections = this.#limits.connections;
    server.on('connection', (socket) => this.#add(socket));
  }

  /** In ordinary times there are none, and a call asks no more than this. */
  get hasStrangers(): boolean {
    return this.#strangers.size > 0;
  }

  /** How many connections there are. */
  get size(): number {
    return this.#sockets.size;
  }

  /** @param peer `address:port` of a connection */
  isStranger(peer: string): boolean {
    return this.#strangers.has(peer);
  }

  /** @param peer `address:port` of a connection on which somebody has authenticated */
  admit(peer: string): void {
    const known = this.#strangers.get(peer);
    if (known === undefined) return;
    clearTimeout(known.timer);
    this.#strangers.delete(peer);
  }

  /** At the end of a server, after its calls. */
  endAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #add(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const { remoteAddress, remotePort } = socket;
    if (remoteAddress === undefined || remotePort === undefined) return void socket.destroy(); // gone again
    const peer = `${remoteAddress}:${remotePort}`;
    const timer = setTimeout(() => socket.destroy(), this.#limits.strangerMs);
    timer.unref();
    this.#strangers.set(peer, { socket, timer });
    this.#look ??= setInterval(() => this.#lookAtAll(), lookMs).unref();
    socket.once('close', () => {
      if (this.#strangers.get(peer)?.socket === socket) this.admit(peer);
    });
    const [longest] = this.#strangers.values();
    if (this.#strangers.size > this.#limits.strangers) longest?.socket.destroy();
  }

  #lookAtAll(): void {
    for (const { socket } of this.#strangers.values())
      if (socket.bytesRead > this.#limits.strangerBytes) socket.destroy();
    if (this.#strangers.size > 0) return;
    clearInterval(this.#look);
    this.#look = undefined;
  }
}
