import { createConnection, createServer, type Server, type Socket } from 'node:net';

/**
 * `before`: the COMMIT never reaches the server. `after`: it does, and its answer never comes back.
 */
export type Cut = 'before' | 'after';

/** Bind of the lane's COMMIT: type, length, no portal, the statement's name. */
const commitMessage = Buffer.from('B\0\0\0\x20\0commit_transaction\0', 'latin1');

/** A TCP proxy in front of Postgres that can cut a connection between COMMIT and its answer. */
export class CuttingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #armed: Cut | undefined;
  #held: ((cut: Cut | undefined) => void) | undefined;
  #holding = false;
  /** How many connections were cut. */
  cuts = 0;

  private constructor(target: { host: string; port: number }) {
    this.#server = createServer((client) => this.#join(client, createConnection(target)));
  }

  static async start(databaseUrl: string): Promise<{ proxy: CuttingProxy; url: string }> {
    const url = new URL(databaseUrl);
    const proxy = new CuttingProxy({ host: url.hostname, port: Number(url.port) });
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    const address = proxy.#server.address();
    url.port = String(typeof address === 'object' && address !== null ? address.port : 0);
    return { proxy, url: url.href };
  }

  /** The next COMMIT that passes is cut. */
  arm(cut: Cut): void {
    this.#armed = cut;
  }

  /** The next transaction waits here until `release`. */
  hold(): void {
    this.#holding = true;
  }

  get isHolding(): boolean {
    return this.#held !== undefined;
  }

  /** @param cut the connection is cut at that transaction's COMMIT */
  release(cut?: Cut): void {
    this.takeHeld()(cut);
  }

  /** What lets the transaction that waits go on, so that another one can be held. */
  takeHeld(): (cut?: Cut) => void {
    const held = this.#held;
    this.#held = undefined;
    return (cut) => held?.(cut);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #join(client: Socket, server: Socket): void {
    let silenced = false;
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    const pass = (data: Buffer, cut: Cut | undefined): void => {
      if (cut === undefined) return void server.write(data);
      this.cuts++;
      silenced = true;
      if (cut === 'after') server.write(data);
      // The transaction's other statements arrive, and then the client is gone.
      else server.write(data.subarray(0, data.indexOf(commitMessage)), end);
    };
    client.on('data', (data) => {
      if (this.#holding && data.includes(commitMessage)) {
        this.#holding = false;
        this.#held = (cut) => pass(data, cut);
        return;
      }
      const cut = data.includes(commitMessage) ? this.#armed : undefined;
      if (cut !== undefined) this.#armed = undefined;
      pass(data, cut);
    });
    server.on('data', (data) => {
      // The transaction's answers carry the tag of the COMMIT last: once it is here, the server has committed.
      if (!silenced) client.write(data);
      else if (data.includes('COMMIT\0')) end();
    });
  }
}
