import { createConnection, createServer, type Server, type Socket } from 'node:net';

/** A port whose connections go to other ports in turn. A connection stays where it was made. */
export class TurnTaking {
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  #next = 0;

  private constructor(ports: () => readonly number[]) {
    this.#server = createServer((client) => {
      const among = ports();
      const port = among[this.#next++ % Math.max(among.length, 1)];
      if (port === undefined) return void client.destroy();
      const there = createConnection({ host: '127.0.0.1', port, noDelay: true });
      client.setNoDelay(true);
      this.#clients.add(client);
      client.once('close', () => this.#clients.delete(client));
      for (const [from, to] of [
        [client, there],
        [there, client],
      ] as const) {
        from.on('error', () => to.destroy());
        from.on('close', () => to.destroy());
        from.pipe(to);
      }
    });
  }

  /**
   * @param ports read for each connection; where there are none it is ended at once
   * @param port 0 for one that the system chooses
   */
  static async start(ports: () => readonly number[], port = 0): Promise<TurnTaking> {
    const turns = new TurnTaking(ports);
    await new Promise<void>((resolve, reject) => {
      turns.#server.once('error', reject);
      turns.#server.listen(port, '127.0.0.1', resolve);
    });
    return turns;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Cuts the connections that are left. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const client of this.#clients) client.destroy();
    await closed;
  }
}
