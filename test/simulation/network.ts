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

/** One direction of a connection: what is sent arrives in its order, or not at all. */
class Lane {
  readonly #scheduler: Scheduler;
  readonly #weather: Weather;
  #lastMs = 0;

  constructor(scheduler: Scheduler, weather: Weather) {
    this.#scheduler = scheduler;
    this.#weather = weather;
  }

  send(to: SimulatedProcess, arrive: () => void): void {
    const atMs = Math.max(this.#scheduler.nowMs + this.#weather.latencyMs(), this.#lastMs);
    // A little later than what was sent before: the order of one time is the seed's.
    this.#lastMs = atMs + 0.001;
    this.#scheduler.at(atMs, () => to.enter(arrive));
  }
}

/** A stream between two processes. Either side may end it, or end; the other one hears of it, or hears nothing any more. */
export class SimulatedStream<ToClient, ToServer> {
  readonly #toClient: Lane;
  readonly #toServer: Lane;
  readonly #client: SimulatedProcess;
  readonly #server: SimulatedProcess;
  #isOpen = true;
  #stopListening: (() => void)[] = [];
  onClient: (message: ToClient) => void = () => undefined;
  onServer: (message: ToServer) => void = () => undefined;
  /** @param error undefined where the server has ended it in order */
  onClientEnd: (error: Error | undefined) => void = () => undefined;
  onServerEnd: () => void = () => undefined;
  onClosed: () => void = () => undefined;

  constructor(options: { scheduler: Scheduler; weather: Weather; client: SimulatedProcess; server: SimulatedProcess }) {
    const { scheduler, weather } = options;
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

  sendToClient(message: ToClient): void {
    if (this.#isOpen) this.#toClient.send(this.#client, () => this.#isOpen && this.onClient(message));
  }

  sendToServer(message: ToServer): void {
    if (this.#isOpen) this.#toServer.send(this.#server, () => this.#isOpen && this.onServer(message));
  }

  /** Both sides hear of it after what is under way to them is lost. */
  cut(): void {
    if (!this.#isOpen) return;
    this.#close();
    this.#toClient.send(this.#client, () => this.onClientEnd(new Unavailable('the stream was cut')));
    this.#toServer.send(this.#server, () => this.onServerEnd());
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

  open<ToClient, ToServer>(client: SimulatedProcess, server: SimulatedProcess): SimulatedStream<ToClient, ToServer> {
    return new SimulatedStream<ToClient, ToServer>({
      scheduler: this.#scheduler,
      weather: this.#weather,
      client,
      server,
    });
  }
}
