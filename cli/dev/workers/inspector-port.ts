import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * One address for the debuggers of workers that come and go: each worker listens on a port of its own, and a connection
 * goes to the one that serves. A debugger that reconnects, as they do, is on the new code after a reload; a worker that
 * stands at a breakpoint holds up nobody.
 */
export class InspectorPort {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target: number | undefined;

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => this.#join(socket));
  }

  /** @throws the system's error, as where the port is taken */
  static async listen({ host, port }: { host: string; port: number }): Promise<InspectorPort> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    return new InspectorPort(server);
  }

  get address(): string {
    const at = this.#server.address();
    return typeof at === 'object' && at !== null ? `${at.address}:${at.port}` : String(at);
  }

  /** From here on connections go to this port of the loopback interface; those to the last one end. */
  point(port: number): void {
    this.#target = port;
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(socket: Socket): void {
    socket.on('error', () => undefined);
    if (this.#target === undefined) {
      socket.destroy(); // no worker yet: the debugger tries again
      return;
    }
    const worker = connect(this.#target, '127.0.0.1');
    worker.on('error', () => socket.destroy());
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      worker.destroy();
    });
    worker.once('close', () => socket.destroy());
    socket.pipe(worker).pipe(socket);
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** The port in the line that Node prints when its inspector listens. */
export function inspectorPort(line: string): number | undefined {
  const port = /^Debugger listening on ws:\/\/[^/]+:(\d+)\//.exec(line)?.[1];
  return port === undefined ? undefined : Number(port);
}

/** What Node says of its inspector is true of a port that nobody is to know. */
export function isInspectorLine(line: string): boolean {
  return (
    inspectorPort(line) !== undefined ||
    line.startsWith('For help, see: https://nodejs.org/') ||
    /^Waiting for the debugger to disconnect\.{3}$/.test(line)
  );
}
