import { createServer, type AddressInfo, type Server, type Socket, connect } from 'node:net';

/** Passes TCP on to a port, and can keep back all that comes from there. */
export class HoldingProxy {
  readonly #server: Server;
  readonly #pairs = new Set<{ client: Socket; target: Socket }>();
  #held = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(targetPort: number): Promise<HoldingProxy> {
    const server = createServer((client) => proxy.#join(client, connect(targetPort, '127.0.0.1')));
    const proxy = new HoldingProxy(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    const address: AddressInfo | string | null = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return address.port;
  }

  /** From here on no answer gets through. */
  hold(): void {
    this.#held = true;
    for (const { target } of this.#pairs) target.pause();
  }

  /** What was kept back is lost with its connections; new ones pass. */
  drop(): void {
    this.#held = false;
    for (const { client, target } of this.#pairs) for (const socket of [client, target]) socket.destroy();
  }

  async stop(): Promise<void> {
    this.drop();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket, target: Socket): void {
    const pair = { client, target };
    this.#pairs.add(pair);
    const end = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      target.destroy();
    };
    for (const socket of [client, target]) socket.on('error', end).on('close', end);
    client.pipe(target);
    target.on('data', (data) => void client.write(data));
    if (this.#held) target.pause();
  }
}
