import { status } from '@grpc/grpc-js';
import type { ClientConfig } from '../config/client-config.ts';
import { statusOf } from '../connection/call-error.ts';
import type { Connection } from '../connection/connection.ts';
import { tlsMaterial } from '../connection/tls-material.ts';
import { callUnary } from '../connection/repeat-calls.ts';
import { heartbeatThread } from './heartbeat-thread.ts';

/** The engine expects one every 4 s, and assigns nothing to a worker that is 5 s late. */
export const heartbeatIntervalMs = 4_000;

export interface HeartbeatEvents {
  /** The engine does not know this worker (any more). */
  onUnknownWorker(workerId: string): void;
}

/**
 * Tells the engine that the worker lives, from a thread that all workers of the process share: a task that keeps the event loop
 * busy would otherwise lose its worker's tasks after 30 s. Where no thread can be had, a timer does it.
 */
export class Heartbeat {
  readonly #connection: Connection;
  readonly #events: HeartbeatEvents;
  #inThread: ReturnType<typeof heartbeatThread.add> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #workerId: string | undefined;

  constructor(connection: Connection, events: HeartbeatEvents) {
    this.#connection = connection;
    this.#events = events;
  }

  /** Starts, or goes on for another id after the worker has registered again. */
  beatFor(workerId: string): void {
    const first = this.#workerId === undefined;
    this.#workerId = workerId;
    if (!first) this.#inThread?.change(workerId);
    else this.#startInThread(workerId);
  }

  async stop(): Promise<void> {
    this.#workerId = undefined;
    clearInterval(this.#timer);
    const beats = this.#inThread;
    this.#inThread = undefined;
    await beats?.end();
  }

  #startInThread(workerId: string): void {
    const { config } = this.#connection;
    const beat = {
      origin: origin(config),
      token: config.token,
      intervalMs: heartbeatIntervalMs,
      tls: config.tls.strategy === 'none' ? {} : tlsMaterial(config.tls),
      workerId,
    };
    this.#inThread = heartbeatThread.add(beat, {
      answered: (code, about) => this.#answered(code, about),
      onLost: () => {
        this.#inThread = undefined;
        if (this.#workerId !== undefined) this.#startTimer();
      },
    });
  }

  #startTimer(): void {
    const beat = async (): Promise<void> => {
      const workerId = this.#workerId;
      if (workerId === undefined) return;
      const { dispatcher } = this.#connection;
      try {
        await callUnary(
          this.#connection,
          dispatcher.heartbeat.bind(dispatcher),
          { workerId, heartbeatAt: new Date() },
          { timeoutMs: heartbeatIntervalMs },
        );
      } catch (error) {
        this.#answered(statusOf(error) ?? status.UNKNOWN, workerId);
      }
    };
    this.#timer = setInterval(() => void beat(), heartbeatIntervalMs);
    this.#timer.unref();
    void beat();
  }

  #answered(code: status, workerId: string): void {
    if (code === status.NOT_FOUND && workerId === this.#workerId) this.#events.onUnknownWorker(workerId);
  }
}

function origin(config: ClientConfig): string {
  return `${config.tls.strategy === 'none' ? 'http' : 'https'}://${config.hostPort}`;
}
