import { movedAway, isMovedAway } from '../../engine/base/not-owner.ts';
import { delay } from '../../engine/base/host.ts';
import type { Peer } from '../../engine/model/replica.ts';
import type { TenantId } from '../../engine/model/ids/tenant-id.ts';
import { notTaken } from '../../engine/replicas/routes-to-peers.ts';
import { Unavailable, type Network, type SimulatedStream } from './network.ts';
import type { SimulatedEngine } from './simulated-engine.ts';

/** Before a peer that cannot be reached is given up, as `PeerClients` has it. */
const connectMs = 1_000;

/** A stream at the engine that serves it. */
export interface ServedStream<ToServer> {
  handle(message: ToServer): void;
  end(): void;
  /** The client reads again. */
  flush?: () => void;
}

export interface StreamAsked<ToClient, ToServer> {
  tenantId: TenantId;
  begin(at: SimulatedEngine, side: ServerSide<ToClient>): ServedStream<ToServer> | Promise<ServedStream<ToServer>>;
}

/** A stream, as the engine that serves it has it. */
interface ServerSide<ToClient> {
  send(message: ToClient): void;
  /** Ends the stream, as a call that fails does. */
  fail(error: Error): void;
  isOver(): boolean;
  isBehind(): boolean;
  pause(): void;
  resume(): void;
}

/** How calls and streams get from the engine that a client reaches to the one that has the tenant's shard, as `engine/grpc/calls` does it. */
export class PassingOn {
  readonly #network: Network;
  readonly #engines: () => readonly SimulatedEngine[];
  readonly #nowMs: () => number;
  /** Calls and streams between engines, each by what breaks it. */
  readonly #open = new Set<() => void>();
  #cutUntilMs = 0;

  constructor(options: { network: Network; engines: () => readonly SimulatedEngine[]; nowMs: () => number }) {
    this.#network = options.network;
    this.#engines = options.engines;
    this.#nowMs = options.nowMs;
  }

  /** No engine reaches another one. */
  cut(forMs: number): void {
    this.#cutUntilMs = this.#nowMs() + forMs;
    for (const lose of this.#open) lose();
  }

  mend(): void {
    this.#cutUntilMs = 0;
  }

  /** The peer at an address, where it can be reached. */
  async connected(from: SimulatedEngine, peer: Peer): Promise<SimulatedEngine | undefined> {
    const there = this.#engines().find(({ process }) => process.name === peer.grpc);
    if (there?.isListening === true && this.#nowMs() >= this.#cutUntilMs) return there;
    await delay(from.process, connectMs);
    return undefined;
  }

  /** A unary call that has come to an engine. */
  async unary<T>(
    engine: SimulatedEngine,
    tenantId: TenantId,
    carryOut: (at: SimulatedEngine) => T | Promise<T>,
  ): Promise<T> {
    const passOn = async (): Promise<T> =>
      engine.routes.passOn(
        tenantId,
        1,
        (peer) => this.#callPeer(engine, peer, async () => serveForwarded(peer, tenantId, carryOut)),
        () => this.unary(engine, tenantId, carryOut),
      );
    if (!engine.isListening) throw new Unavailable('nobody listens there');
    if (engine.routes.peerFor(tenantId, { forwarded: false }) !== undefined) return passOn();
    try {
      return await carryOut(engine);
    } catch (error) {
      if (isMovedAway(error)) return passOn();
      throw error;
    }
  }

  /**
   * A stream that has come to an engine. Resolves once it is served somewhere.
   * @param asked.early what comes from the client as long as nobody serves it
   */
  async stream<ToClient, ToServer>(
    engine: SimulatedEngine,
    stream: SimulatedStream<ToClient, ToServer>,
    asked: StreamAsked<ToClient, ToServer> & { early: ToServer[] },
  ): Promise<void> {
    if (!engine.isListening) throw new Unavailable('nobody listens there');
    if (!stream.isOpen) throw new Unavailable('the client has gone');
    engine.clients.add(stream);
    stream.onClosed = () => engine.clients.delete(stream);
    const peer = await engine.routes.settledPeerFor(asked.tenantId, { forwarded: false });
    if (peer === undefined) return this.#begin(engine, stream, asked);
    return new Promise((opened, failed) => {
      engine.routes
        .passOn(
          asked.tenantId,
          1,
          (to) => this.#bridge(engine, to, stream, { ...asked, opened }),
          () => 'here' as const,
        )
        .then((end) => {
          if (end !== 'here') return stream.endByServer(end.error);
          return this.#begin(engine, stream, asked).then(opened);
        })
        .catch((error: Error) => {
          failed(error);
          stream.endByServer(error);
        });
    });
  }

  /** @returns `notTaken` where nothing of it was carried out */
  async #callPeer<T>(
    from: SimulatedEngine,
    peer: SimulatedEngine,
    serve: () => Promise<T>,
  ): Promise<T | typeof notTaken> {
    let lose = (): void => undefined;
    const lost = new Promise<never>((_, reject) => {
      lose = () => reject(new Unavailable('the engines were cut apart'));
    });
    lost.catch(() => undefined); // whoever waits for the call hears of it
    this.#open.add(lose);
    try {
      return await Promise.race([this.#network.call(from.process, peer.process, serve), lost]);
    } catch (error) {
      if (isMovedAway(error)) return notTaken;
      throw error;
    } finally {
      this.#open.delete(lose);
    }
  }

  /**
   * Both directions of a stream that another engine serves. What the client has sent is sent again where the stream was not
   * taken.
   * @returns how it has ended
   */
  async #bridge<ToClient, ToServer>(
    from: SimulatedEngine,
    peer: SimulatedEngine,
    client: SimulatedStream<ToClient, ToServer>,
    asked: StreamAsked<ToClient, ToServer> & { early: ToServer[]; opened: () => void },
  ): Promise<{ error: Error | undefined } | typeof notTaken> {
    const upstream = this.#network.open<ToClient, ToServer>(from.process, peer.process, client.isPaced);
    const lose = (): void => upstream.cut();
    this.#open.add(lose);
    let hasAnswered = false;
    const ended = new Promise<{ error: Error | undefined }>((resolve) => {
      upstream.onClientEnd = (error) => resolve({ error });
    });
    upstream.onClient = (message) => {
      hasAnswered = true;
      client.sendToClient(message);
      // As fast as the client reads.
      if (client.isBehind) upstream.pause('client');
    };
    client.onDrain = () => upstream.resume('client');
    client.onServerEnd = () => upstream.cut();
    if (!client.isOpen) upstream.cut();
    const { early } = asked;
    try {
      const begun = await this.#callPeer(from, peer, async () => {
        if (!peer.isListening) throw new Unavailable('nobody listens there');
        await peer.routes.settledPeerFor(asked.tenantId, { forwarded: true });
        await this.#begin(peer, upstream, { ...asked, early: [] });
      });
      if (begun === notTaken) {
        upstream.cut();
        return notTaken;
      }
      for (const message of early) upstream.sendToServer(message);
      client.onServer = (message) => {
        if (!hasAnswered) early.push(message);
        upstream.sendToServer(message);
      };
      asked.opened();
      const end = await ended;
      client.onServer = (message) => void early.push(message);
      return !hasAnswered && isMovedAway(end.error) ? notTaken : end;
    } catch (error) {
      upstream.cut();
      throw error;
    } finally {
      this.#open.delete(lose);
    }
  }

  /** Serves a stream at the engine that has come to it. */
  async #begin<ToClient, ToServer>(
    at: SimulatedEngine,
    stream: SimulatedStream<ToClient, ToServer>,
    { tenantId, begin, early }: StreamAsked<ToClient, ToServer> & { early: readonly ToServer[] },
  ): Promise<void> {
    if (!stream.isOpen) throw new Unavailable('the client has gone');
    let served: ServedStream<ToServer> | undefined;
    let isOver = false;
    /** Said by the engine: it goes before what the stream itself says. */
    let told: Error | undefined;
    const stop = (): void => {
      if (isOver) return;
      isOver = true;
      release();
      served?.end();
    };
    const fail = (error: Error): void => {
      void Promise.resolve().then(() => {
        if (isOver) return;
        stop();
        stream.endByServer(told ?? error);
      });
    };
    const release = at.hold(tenantId, (error) => {
      told = error;
      fail(error);
    });
    stream.onServerEnd = stop;
    try {
      served = await begin(at, {
        send: (message) => stream.sendToClient(message),
        fail,
        isOver: () => isOver,
        isBehind: () => stream.isBehind,
        pause: () => stream.pause('server'),
        resume: () => stream.resume('server'),
      });
    } catch (error) {
      stop();
      throw told ?? error;
    }
    if (isOver) {
      served.end();
      throw told ?? new Unavailable('the client has gone');
    }
    const { handle, flush } = served;
    stream.onDrain = () => flush?.();
    const take = (message: ToServer): void => {
      try {
        if (!isOver) handle(message);
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)));
      }
    };
    stream.onServer = take;
    for (const message of early) take(message);
  }
}

/** A call that another engine has passed on. @throws HatchetError NOT_OWNER where it is not for this one */
async function serveForwarded<T>(
  at: SimulatedEngine,
  tenantId: TenantId,
  carryOut: (at: SimulatedEngine) => T | Promise<T>,
): Promise<T> {
  if (!at.isListening) throw new Unavailable('nobody listens there');
  if (at.routes.peerFor(tenantId, { forwarded: true }) !== undefined) throw movedAway();
  return carryOut(at);
}
