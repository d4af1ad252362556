import { createConnection, createServer, type Server, type Socket } from 'node:net';
import type { EngineChild } from './engine-process.ts';

/** Between two looks at who is ready. */
const lookMs = 50;

/** Whether an engine says that it takes calls. */
export async function isReady({ ready: { http } }: EngineChild): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${http.port}/api/ready`).catch(() => undefined);
  return answer?.ok === true;
}

/** As a load balancer in front of engines: a connection stays where it was made, and a new one goes to the next that is ready. */
export class LoadBalancer {
  readonly #engines: () => readonly EngineChild[];
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  #ready: readonly EngineChild[] = [];
  #timer: NodeJS.Timeout | undefined;
  #next = 0;
  #stopped = false;

  private constructor(engines: () => readonly EngineChild[]) {
    this.#engines = engines;
    this.#server = createServer((client) => {
      const engine = this.#ready[this.#next++ % Math.max(this.#ready.length, 1)];
      if (engine === undefined) return void client.destroy();
      const { port } = engine.ready.grpc;
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

  static async start(engines: () => readonly EngineChild[]): Promise<LoadBalancer> {
    const balancer = new LoadBalancer(engines);
    await balancer.#look();
    await new Promise<void>((resolve) => balancer.#server.listen(0, '127.0.0.1', resolve));
    return balancer;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const client of this.#clients) client.destroy();
    await closed;
  }

  async #look(): Promise<void> {
    const engines = this.#engines();
    const ready = await Promise.all(engines.map(isReady));
    if (this.#stopped) return;
    this.#ready = engines.filter((_, index) => ready[index]);
    this.#timer = setTimeout(() => void this.#look(), lookMs);
  }
}
