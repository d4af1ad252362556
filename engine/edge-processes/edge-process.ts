import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { EngineOptions } from '../base/engine-options.ts';
import { HatchetError } from '../base/errors.ts';
import { packageRoot } from '../base/package-version.ts';
import type { PortKind } from '../net/port-taken.ts';
import type { GivenSocket } from './given-sockets.ts';

/** A stop that takes longer is ended. */
const longestStopMs = 15_000;

/** What an edge process is started with. */
export interface EdgeOptions {
  engine: EngineOptions;
  databaseUrl: string;
}

/** What an engine process says on its stdout, as far as it matters here. */
type Told = { type: 'ready' } | { type: 'error'; message: string } | { type: 'stage' | 'stopped' };

/** One edge process, which ends with this one. */
export class EdgeProcess {
  /** Resolves once it serves. @throws HatchetError EDGE_LOST where it ends before */
  readonly ready: Promise<void>;
  /** Resolves with what is known of its end. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  #isReady = false;
  #isGone = false;

  constructor({ engine, databaseUrl }: EdgeOptions) {
    const entry = join(packageRoot(), 'dist', 'engine', 'main.js');
    this.#child = spawn(
      process.execPath,
      ['--enable-source-maps', entry, JSON.stringify(engine), '--control-stdin', '--given-sockets'],
      {
        stdio: ['pipe', 'pipe', 'inherit', 'ipc'],
        env: { ...process.env, HATCHET_ENGINE_DATABASE_URL: databaseUrl },
        detached: true, // a Ctrl+C in the terminal is for the engine, which ends it in order
        windowsHide: true,
      },
    );
    let reason = '';
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message));
      this.#child.once('exit', (code, signal) =>
        resolve(reason === '' ? (signal ?? `exit code ${String(code)}`) : reason),
      );
    });
    void this.ended.then(() => {
      this.#isGone = true;
      this.#isReady = false;
    });
    this.#child.on('error', () => undefined); // `ended` has it
    this.ready = new Promise((resolve, reject) => {
      const lines = this.#child.stdout === null ? undefined : createInterface(this.#child.stdout);
      lines?.on('line', (line) => {
        const told: Told = JSON.parse(line);
        if (told.type === 'error') reason = told.message;
        if (told.type !== 'ready') return;
        this.#isReady = true;
        resolve();
      });
      void this.ended.then((why) => reject(new HatchetError('EDGE_LOST', `an edge process ended: ${why}`)));
    });
    this.ready.catch(() => undefined); // whoever waits for it hears of it
  }

  /** Whether it takes connections. */
  get isReady(): boolean {
    return this.#isReady && this.#child.connected;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Hands a connection over. */
  give(port: PortKind, socket: Socket): void {
    const message: GivenSocket = { port };
    this.#child.send(message, socket, { keepOpen: false }, (error) => {
      if (error !== null) socket.destroy();
    });
  }

  /** It asks its clients to go, and ends. */
  async stop(): Promise<void> {
    if (this.#isGone) return;
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), longestStopMs);
    await this.ended;
    clearTimeout(timer);
  }
}
