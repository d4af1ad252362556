import { EventEmitter } from 'node:events';
import { status } from '@grpc/grpc-js';
import { HatchetError } from '../../engine/base/errors.ts';
import { Caller } from '../../engine/edge/access/caller.ts';
import { openStream } from '../../engine/grpc/session/session-service.ts';
import { toServiceError } from '../../engine/grpc/service-error.ts';
import { markChecked } from '../../engine/model/checked.ts';
import type { TenantId } from '../../engine/model/ids/tenant-id.ts';
import { newId } from '../../engine/model/ids/uuid.ts';
import { EngineLink, type LinkStream } from '../../link/engine-link.ts';
import { serviceError } from '../../link/service-error.ts';
import { ConnectRequest, ConnectResponse } from '../../proto/gen/hatchet/session/v1/session.ts';
import { Chances } from './chances.ts';
import type { Side, SimulatedStream } from './network.ts';
import type { SimulatedEngine } from './simulated-engine.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { WorkerSurroundings } from './surroundings.ts';

/** Frames as bytes: what one end changes in a frame that it sends again, the other end does not see. */
type Bytes = Uint8Array;

/** The program's end of a stream, as grpc-js gives it. */
class ClientStream extends EventEmitter implements LinkStream {
  readonly #stream: SimulatedStream<Bytes, Bytes> | undefined;

  constructor(stream: SimulatedStream<Bytes, Bytes> | undefined) {
    super();
    this.#stream = stream;
  }

  write(request: ConnectRequest): void {
    this.#stream?.sendToServer(ConnectRequest.encode(request).finish());
  }

  cancel(): void {
    this.#stream?.cut();
  }
}

/** What an engine may have written to a program that does not read: what is not acknowledged, and one frame. */
const mostUnread = 6_000;

/** A program's link to the engines: the SDK's own end of a session, over streams of the simulated network. */
export class SimulatedLink {
  readonly link: EngineLink;
  readonly process: SimulatedProcess;
  readonly tenantId: TenantId;
  readonly #world: WorkerSurroundings;
  readonly #chances: Chances;
  #stream: SimulatedStream<Bytes, Bytes> | undefined;
  #reached: SimulatedEngine | undefined;
  readonly #streamsAt = new Map<SimulatedEngine, number>();
  /** It is let in nowhere until then. */
  #awayUntilMs = 0;
  #onWelcome: () => void = () => undefined;

  constructor(world: WorkerSurroundings, { process, tenantId }: { process: SimulatedProcess; tenantId: TenantId }) {
    this.#world = world;
    this.process = process;
    this.tenantId = tenantId;
    this.#chances = new Chances(world.seed, `link of ${process.name}`);
    this.link = new EngineLink(
      {
        connect: () => this.#connect(),
        welcomed: () => {
          this.#onWelcome();
          this.#onWelcome = () => undefined;
        },
        whyHopeless: async () => undefined,
      },
      {
        host: {
          monotonicMs: () => process.monotonicMs(),
          setTimeout: (run, ms) => process.setTimeout(run, ms),
          setInterval: (run, ms) => process.setInterval(run, ms),
          setImmediate: (run) => process.setImmediate(run),
          chance: () => this.#chances.number(),
          newId,
        },
      },
    );
  }

  /** The engine that it has reached last. */
  get engine(): SimulatedEngine | undefined {
    return this.#reached;
  }

  /**
   * @param how.first who hears of it at once; the other one does so later, after the tail of what was under way to it
   * @param how.awayMs no stream is let in meanwhile
   */
  cut({ first, laterMs, awayMs }: { first: Side | 'both'; laterMs: number; awayMs: number }): void {
    this.#awayUntilMs = this.#world.scheduler.nowMs + awayMs;
    if (first === 'both') this.#stream?.cut();
    else this.#stream?.cutAt(first, laterMs);
  }

  /** What is said to one side from now on, or once it is let in, does not come: after a while its stream is cut. */
  loseFrames({ to, afterMs, awayMs }: { to: Side; afterMs: number; awayMs: number }): void {
    const stream = this.#stream;
    if (stream?.isOpen !== true || !this.link.isOpen) {
      this.#onWelcome = () => this.loseFrames({ to, afterMs, awayMs });
      return;
    }
    stream.hold(to, 2 * afterMs);
    this.#world.scheduler.in(afterMs, () => {
      if (this.#stream === stream) this.cut({ first: 'both', laterMs: 0, awayMs });
    });
  }

  /** What one side sends from now on takes so long at least. */
  hold(to: Side, ms: number): void {
    this.#stream?.hold(to, ms);
  }

  /** Whether an engine serves a stream of it, or does not know yet that it is cut. */
  hasStreamAt(engine: SimulatedEngine): boolean {
    return (this.#streamsAt.get(engine) ?? 0) > 0;
  }

  /** What comes by its stream is not read for so long. */
  stopReading(ms: number): void {
    const stream = this.#stream;
    stream?.pause('client');
    this.#world.scheduler.in(ms, () => stream?.resume('client'));
  }

  /** Nothing goes wrong any more. */
  heal(): void {
    this.#awayUntilMs = 0;
    this.#onWelcome = () => undefined;
    this.#stream?.resume('client');
  }

  #connect(): LinkStream {
    const { process, tenantId } = this;
    const isAway = this.#world.scheduler.nowMs < this.#awayUntilMs;
    const engine = isAway ? undefined : this.#world.pickEngine(this.#chances);
    if (engine === undefined) {
      const nowhere = new ClientStream(undefined);
      process.setTimeout(() => nowhere.emit('error', asServiceError(undefined)), 5);
      return nowhere;
    }
    this.#reached = engine;
    const stream = this.#world.network.open<Bytes, Bytes>(process, engine.process, true);
    const client = new ClientStream(stream);
    this.#stream = stream;
    let unread = 0;
    stream.onClient = (bytes) => {
      unread -= bytes.length;
      client.emit('data', ConnectResponse.decode(bytes));
    };
    stream.onClientEnd = (error) =>
      error === undefined ? client.emit('end') : client.emit('error', asServiceError(error, engine));
    const caller = new Caller({ tenantId, tokenId: markChecked(newId()), role: 'worker', expiresAtMs: Infinity });
    this.#world
      .stream(process, engine, stream, {
        tenantId,
        begin: (at, { send, fail, isBehind, pause, resume }) => {
          const served = openStream(at.sessions, at.sessionPorts, {
            caller,
            link: {
              write: (response) => {
                const bytes = ConnectResponse.encode(response).finish();
                if ((unread += bytes.length) > mostUnread)
                  this.#world.invariants.broken(`${process.name} has not read ${unread} bytes, and is sent more`);
                send(bytes);
              },
              isBehind,
              pause,
              resume,
              fail: (error) => fail(error instanceof Error ? error : new Error(String(error))),
              address: () => '',
              isRelay: () => false,
            },
          });
          this.#streamsAt.set(at, (this.#streamsAt.get(at) ?? 0) + 1);
          return {
            handle: (bytes) => served.handle(ConnectRequest.decode(bytes)),
            end: () => {
              this.#streamsAt.set(at, (this.#streamsAt.get(at) ?? 0) - 1);
              served.end();
            },
            flush: () => served.flush(),
          };
        },
      })
      .catch((error: unknown) => {
        stream.cut();
        client.emit('error', asServiceError(error, engine));
      });
    return client;
  }
}

/** As the program's grpc-js has it. */
function asServiceError(error: unknown, engine?: SimulatedEngine): Error {
  if (error instanceof HatchetError && engine !== undefined) return toServiceError(error, engine.log);
  return serviceError({
    code: status.UNAVAILABLE,
    details: error instanceof Error ? error.message : 'nobody is there',
  });
}
