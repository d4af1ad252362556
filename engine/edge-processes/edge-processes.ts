import { createServer, type Server, type Socket } from 'node:net';
import type { Address, EngineOptions } from '../base/engine-options.ts';
import type { Logger } from '../base/log.ts';
import { listen } from '../net/listen.ts';
import type { PortKind } from '../net/port-taken.ts';
import { EdgeProcess, type EdgeOptions } from './edge-process.ts';

/** Before an edge that has ended is started again: the first time, and at most. One that has served for the latter begins anew. */
const firstPauseMs = 100;
const longestPauseMs = 5_000;
/** Connections that wait for an edge, while all are being started again. */
const mostWaiting = 1_000;

export interface EdgesOptions extends EdgeOptions {
  count: number;
  host: string;
  grpcPort: number;
  httpPort: number;
  log: Logger;
}

/**
 * The edge processes of an engine: the engine accepts the connections of both ports and gives them to its edges in turn. It has the
 * ports for as long as it runs, so that while an edge is started again no client is refused.
 */
export class EdgeProcesses {
  readonly grpc: Address;
  readonly http: Address;
  readonly #options: EdgesOptions;
  readonly #servers: readonly Server[];
  readonly #edges: EdgeProcess[] = [];
  readonly #restarts = new Set<NodeJS.Timeout>();
  readonly #waiting: { kind: PortKind; socket: Socket }[] = [];
  #next = 0;
  #isStopping = false;

  private constructor(options: EdgesOptions, servers: readonly Server[], [grpc, http]: readonly [Address, Address]) {
    this.#options = options;
    this.#servers = servers;
    this.grpc = grpc;
    this.http = http;
  }

  /** Resolves once all serve. @throws HatchetError PORT_TAKEN, EDGE_LOST */
  static async start(options: EdgesOptions): Promise<EdgeProcesses> {
    const { host, grpcPort, httpPort } = options;
    let give = (_: PortKind, socket: Socket): void => void socket.destroy();
    const server = (kind: PortKind): Server => createServer({ pauseOnConnect: true }, (socket) => give(kind, socket));
    const servers = [server('grpc'), server('http')] as const;
    try {
      const grpc = await listen(servers[0], 'grpc', { host, port: grpcPort });
      const http = await listen(servers[1], 'http', { host, port: httpPort });
      const edges = new EdgeProcesses(options, servers, [grpc, http]);
      give = (kind, socket) => edges.#give(kind, socket);
      try {
        for (let number = 0; number < options.count; number++) edges.#add(number, firstPauseMs);
        await Promise.all(edges.#edges.map(async (edge) => edge.ready));
      } catch (error) {
        await edges.stop();
        throw error;
      }
      return edges;
    } catch (error) {
      for (const each of servers) stopListening(each);
      throw error;
    }
  }

  /** Of those that serve. */
  get pids(): number[] {
    return this.#edges.flatMap((edge) => (edge.isReady ? (edge.pid ?? []) : []));
  }

  /** Lets the edges end with their clients. Connections are taken until the last of them has gone. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    for (const { socket } of this.#waiting.splice(0)) socket.destroy();
    await Promise.all(this.#edges.map(async (edge) => edge.stop()));
    for (const each of this.#servers) stopListening(each);
  }

  /** To the edges in turn. One that is asked to end still takes them, and asks them to go where others serve. */
  #give(kind: PortKind, socket: Socket): void {
    for (let tried = 0; tried < this.#edges.length; tried++) {
      const edge = this.#edges[this.#next++ % this.#edges.length];
      if (edge?.isReady === true) return edge.give(kind, socket);
    }
    if (this.#isStopping || this.#waiting.length >= mostWaiting) socket.destroy();
    else this.#waiting.push({ kind, socket });
  }

  #add(number: number, pauseMs: number): void {
    const { log, engine, databaseUrl } = this.#options;
    const { grpc, http } = this;
    const edge = new EdgeProcess({
      engine: { ...engine, host: grpc.host, grpcPort: grpc.port, httpPort: http.port, ...metricsPort(engine, number) },
      databaseUrl,
    });
    this.#edges.push(edge);
    const startedAt = performance.now();
    edge.ready.then(
      () => {
        for (const { kind, socket } of this.#waiting.splice(0)) this.#give(kind, socket);
      },
      () => undefined, // it has ended
    );
    void edge.ended.then((why) => {
      this.#edges.splice(this.#edges.indexOf(edge), 1);
      if (this.#isStopping) return;
      const pause = performance.now() - startedAt > longestPauseMs ? firstPauseMs : pauseMs;
      log.error({ code: 'EDGE_LOST', why, pauseMs: pause }, 'an edge process ended by itself; it is started again');
      const timer = setTimeout(() => {
        this.#restarts.delete(timer);
        this.#add(number, Math.min(pause * 2, longestPauseMs));
      }, pause);
      this.#restarts.add(timer);
    });
  }
}

/** Not waited for: a server that has given connections away asks the processes that have them, and the answer of one that has ended never comes. */
function stopListening(server: Server): void {
  if (server.listening) server.close();
}

/** Edges follow their engine, each with a port that it keeps when it is started again. */
function metricsPort({ metricsPort: port }: EngineOptions, number: number): Pick<EngineOptions, 'metricsPort'> {
  if (port === undefined || port === 0) return port === undefined ? {} : { metricsPort: 0 };
  return { metricsPort: port + 1 + number };
}
