import type { Chances } from './chances.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimulatedProcess } from './simulated-process.ts';

/** The other side cannot be reached, or was lost before its answer came. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** What the network does to messages, and to whom. */
export interface Weather {
  /** How long a message is under way. */
  latencyMs: () => number;
  /** Whether a call loses its request, or its answer. */
  fateOfCall: () => 'arrives' | 'requestLost' | 'answerLost';
}

/** Messages that a client has not read: with more, the server is to write no more, as grpc-js has it. */
const mostUnread = 16;

export type Side = 'client' | 'server';

/** One direction of a connection: what is sent arrives in its order, or not at all. */
class Lane {
  readonly #scheduler: Scheduler;
  readonly #weather: Weather;
  #lastMs = 0;
  #heldUntilMs = 0;

  constructor(scheduler: Scheduler, weather: Weather) {
    this.#scheduler = scheduler;
    this.#weather = weather;
  }

  /** What is sent from now on arrives after that. */
  hold(ms: number): void {
    this.#heldUntilMs = this.#scheduler.nowMs + ms;
  }

  send(to: SimulatedProcess, arrive: () => void): void {
    const atMs = Math.max(this.#scheduler.nowMs + this.#weather.latencyMs(), this.#lastMs, this.#heldUntilMs);
    // A little later than what was sent before: the order of one time is the seed's.
    this.#lastMs = atMs + 0.001;
    this.#scheduler.at(atMs, () => to.enter(arrive));
  }
}

/** A stream between two processes. Either side may end it, or end; the other one hears of it, or hears nothing any more. */
export class SimulatedStream<ToClient, ToServer> {
  readonly #scheduler: Scheduler;
  readonly #toClient: Lane;
  readonly #toServer: Lane;
  readonly #client: SimulatedProcess;
  readonly #server: SimulatedProcess;
  /** Whether the server hears that the client does not read. */
  readonly isPaced: boolean;
  #isOpen = true;
  /** What has come, and is not read yet. */
  readonly #atClient: ToClient[] = [];
  readonly #atServer: ToServer[] = [];
  readonly #paused = new Set<Side>();
  /** Sent to the client and not read: past the most, until all of it is read. */
  #unread = 0;
  #isBehind = false;
  /** Who has not heard of a cut yet. */
  #unaware: Side | undefined;
  #stopListening: (() => void)[] = [];
  onClient: (message: ToClient) => void = () => undefined;
  onServer: (message: ToServer) => void = () => undefined;
  /** @param error undefined where the server has ended it in order */
  onClientEnd: (error: Error | undefined) => void = () => undefined;
  onServerEnd: () => void = () => undefined;
  /** The client has read what it was behind with. */
  onDrain: () => void = () => undefined;
  onClosed: () => void = () => undefined;

  constructor(options: {
    scheduler: Scheduler;
    weather: Weather;
    client: SimulatedProcess;
    server: SimulatedProcess;
    isPaced: boolean;
  }) {
    const { scheduler, weather } = options;
    this.#scheduler = scheduler;
    this.isPaced = options.isPaced;
    this.#client = options.client;
    this.#server = options.server;
    this.#toClient = new Lane(scheduler, weather);
    this.#toServer = new Lane(scheduler, weather);
    this.#stopListening = [
      this.#client.onEnd(() => this.#lost('client')),
      this.#server.onEnd(() => this.#lost('server')),
    ];
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The server has written more than the client reads. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  sendToClient(message: ToClient): void {
    if (!this.#isOpen) return;
    if (++this.#unread >= mostUnread && this.isPaced) this.#isBehind = true;
    this.#toClient.send(this.#client, () => {
      if (!this.#isOpen && this.#unaware !== 'client') return;
      this.#atClient.push(message);
      if (this.#isOpen) this.#readAtClient();
    });
  }

  sendToServer(message: ToServer): void {
    if (!this.#isOpen) return;
    this.#toServer.send(this.#server, () => {
      if (!this.#isOpen && this.#unaware !== 'server') return;
      this.#atServer.push(message);
      if (this.#isOpen) this.#readAtServer();
    });
  }

  /** A side does not read: what comes to it waits. */
  pause(side: Side): void {
    this.#paused.add(side);
  }

  resume(side: Side): void {
    if (!this.#paused.delete(side)) return;
    if (side === 'client') this.#client.setImmediate(() => this.#isOpen && this.#readAtClient());
    else this.#server.setImmediate(() => this.#isOpen && this.#readAtServer());
  }

  /** What is sent to a side from now on takes so long at least. */
  hold(to: Side, ms: number): void {
    (to === 'client' ? this.#toClient : this.#toServer).hold(ms);
  }

  /** Both sides hear of it after what is under way to them is lost. */
  cut(): void {
    if (!this.#isOpen) return;
    this.#close();
    this.#tell('client');
    this.#tell('server');
  }

  /** One side hears of it at once, and the other later, after the tail of what was under way to it has come. */
  cutAt(first: Side, laterMs: number): void {
    if (!this.#isOpen) return;
    this.#close();
    this.#tell(first);
    const last = first === 'client' ? 'server' : 'client';
    this.#unaware = last;
    this.#scheduler.in(laterMs, () =>
      (last === 'client' ? this.#client : this.#server).enter(() => {
        this.#paused.delete(last);
        if (last === 'client') this.#readAtClient();
        else this.#readAtServer();
        this.#unaware = undefined;
        if (last === 'client') this.onClientEnd(new Unavailable('the stream was cut'));
        else this.onServerEnd();
      }),
    );
  }

  #tell(side: Side): void {
    if (side === 'client')
      this.#toClient.send(this.#client, () => this.onClientEnd(new Unavailable('the stream was cut')));
    else this.#toServer.send(this.#server, () => this.onServerEnd());
  }

  #readAtClient(): void {
    while (!this.#paused.has('client')) {
      const message = this.#atClient.shift();
      if (message === undefined) break;
      this.#unread--;
      this.onClient(message);
    }
    if (!this.#isBehind || this.#unread > 0) return;
    this.#toServer.send(this.#server, () => {
      if (!this.#isBehind || this.#unread > 0) return;
      this.#isBehind = false;
      if (this.#isOpen) this.onDrain();
    });
  }

  #readAtServer(): void {
    while (!this.#paused.has('server')) {
      const message = this.#atServer.shift();
      if (message === undefined) return;
      this.onServer(message);
    }
  }

  /** The server ends it: what it has sent arrives first. */
  endByServer(error: Error | undefined): void {
    if (!this.#isOpen) return;
    this.#toClient.send(this.#client, () => {
      if (!this.#isOpen) return;
      this.#close();
      this.onClientEnd(error);
    });
  }

  #lost(side: 'client' | 'server'): void {
    if (!this.#isOpen) return;
    this.#close();
    if (side === 'client') this.#toServer.send(this.#server, () => this.onServerEnd());
    else this.#toClient.send(this.#client, () => this.onClientEnd(new Unavailable('the server has ended')));
  }

  #close(): void {
    this.#isOpen = false;
    this.onClosed();
    for (const stop of this.#stopListening.splice(0)) stop();
  }
}

/** Calls and streams between processes. */
export class Network {
  readonly #scheduler: Scheduler;
  readonly #weather: Weather;

  constructor(scheduler: Scheduler, weather: Weather) {
    this.#scheduler = scheduler;
    this.#weather = weather;
  }

  static weather(chances: Chances, lostCalls: () => number): Weather {
    return {
      // Mostly fast; now and then one that takes its time.
      latencyMs: () => (chances.is(0.03) ? chances.between(5, 60) : chances.between(0.2, 3)),
      fateOfCall: () => {
        const share = lostCalls();
        const draw = chances.number();
        return draw < share ? 'requestLost' : draw < 2 * share ? 'answerLost' : 'arrives';
      },
    };
  }

  /** @throws Unavailable, and whatever the server throws */
  call<T>(client: SimulatedProcess, server: SimulatedProcess, serve: () => T | Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let isOver = false;
      const answer = (give: () => void): void => {
        if (isOver) return;
        isOver = true;
        stop();
        this.#scheduler.in(this.#weather.latencyMs(), () => client.enter(give));
      };
      const lose = (): void => answer(() => reject(new Unavailable('the connection was lost')));
      const stop = server.onEnd(lose);
      const fate = server.hasEnded ? 'requestLost' : this.#weather.fateOfCall();
      if (fate === 'requestLost') return lose();
      this.#scheduler.in(this.#weather.latencyMs(), () =>
        server.enter(() => {
          if (isOver) return;
          const done = (async () => serve())();
          if (fate === 'answerLost') {
            done.catch(() => undefined);
            return lose();
          }
          done.then(
            (value) => answer(() => resolve(value)),
            (error: unknown) => answer(() => reject(error instanceof Error ? error : new Error(String(error)))),
          );
        }),
      );
    });
  }

  open<ToClient, ToServer>(
    client: SimulatedProcess,
    server: SimulatedProcess,
    isPaced = false,
  ): SimulatedStream<ToClient, ToServer> {
    return new SimulatedStream<ToClient, ToServer>({
      scheduler: this.#scheduler,
      weather: this.#weather,
      client,
      server,
      isPaced,
    });
  }
}
