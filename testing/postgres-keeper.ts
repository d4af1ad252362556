import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { startScratchPostgres, type ScratchDatabase, type ScratchPostgres } from '../engine/index.ts';
import { onLines, type KeeperMessage, type Wish } from './keeper-protocol.ts';

/** A keeper that nobody asks for anything ends: whoever started it was killed. */
const unusedMs = 30_000;

/** Holds one Postgres for every test process that leases a database of it, for as long as there is one. */
export class PostgresKeeper {
  readonly #server: Server;
  readonly #postgres: Promise<ScratchPostgres>;
  readonly #unused: NodeJS.Timeout;
  #leases = 0;
  #closing = false;

  private constructor(server: Server) {
    this.#server = server;
    this.#postgres = startScratchPostgres();
    this.#postgres.catch(() => undefined); // whoever leases is told
    this.#unused = setTimeout(() => void this.#close(), unusedMs);
    server.on('connection', (socket) => this.#serve(socket));
  }

  /** @returns undefined where another keeper serves at the address */
  static async open(address: string): Promise<PostgresKeeper | undefined> {
    const server = createServer({ allowHalfOpen: true });
    if (await listens(server, address)) return new PostgresKeeper(server);
    if (await answers(address)) return undefined;
    // A killed one's. Should two find it at once, the second takes the address from the first, which then ends unused.
    rmSync(address, { force: true });
    return (await listens(server, address)) ? new PostgresKeeper(server) : undefined;
  }

  #serve(socket: Socket): void {
    clearTimeout(this.#unused);
    this.#leases++;
    let granted: Promise<ScratchDatabase | null> = Promise.resolve(null);
    const over = new Promise<void>((resolve) => {
      socket.once('end', resolve);
      socket.once('close', resolve);
    });
    socket.on('error', () => undefined); // 'close' follows
    onLines(socket, (line) => {
      const { want }: Wish = JSON.parse(line);
      granted = this.#grant(socket, want);
      granted.catch((error: unknown) =>
        say(socket, {
          kind: 'refused',
          message: error instanceof Error ? error.message : String(error),
          remedy: remedyOf(error),
        }),
      );
    });
    void over.then(async () => {
      const database = await granted.catch(() => null);
      if (database !== null) await (await this.#postgres).dropDatabase(database).catch(() => undefined); // it goes with the server
      this.#leases--;
      if (this.#leases === 0) await this.#close(socket);
      socket.end();
    });
  }

  async #grant(socket: Socket, want: Wish['want']): Promise<ScratchDatabase | null> {
    const postgres = await this.#postgres;
    const database = want === 'hold' ? null : await postgres.createDatabase();
    say(socket, {
      kind: 'granted',
      pid: process.pid,
      database: database === null ? null : { url: database.url, folder: database.folder },
    });
    return database;
  }

  /** From here on a new user finds nobody and starts another keeper. */
  async #close(last?: Socket): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    clearTimeout(this.#unused);
    this.#server.close();
    await this.#postgres.then((postgres) => postgres.stop()).catch(() => undefined);
    if (last !== undefined) say(last, { kind: 'ending' });
  }
}

function say(socket: Socket, message: KeeperMessage): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

function remedyOf(error: unknown): string {
  return error instanceof Error && 'remedy' in error && typeof error.remedy === 'string'
    ? error.remedy
    : 'Run it again; should it persist, it is a fault of hatchet-ts.';
}

function listens(server: Server, address: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    };
    server.once('error', onError);
    server.listen(address, () => {
      server.off('error', onError);
      if (process.platform !== 'win32') chmodSync(address, 0o600);
      resolve(true);
    });
  });
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
