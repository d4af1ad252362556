import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { packageRoot } from '../base/package-version.ts';
import type { CelResult } from './cel-result.ts';
import type { FromThread, ToThread } from './cel-thread.ts';
import type { CelVariables } from './cel-variables.ts';
import { compileCel } from './compile-cel.ts';
import { TurnQueue } from '../base/turn-queue.ts';
import type { TurnOwner } from '../model/ids/turn-owner.ts';

/** Time on a core that one expression may take in the thread, once the thread runs and has read what the expression reads. */
const deadlineMs = 50;
/** Past its deadline the thread stops an expression by itself, but not in the middle of a single call of the language's own functions. */
const defaultGraceMs = 150;
const memoryMb = 256;
/** A tenant whose expression overran gets no turn of the thread for so long: it has a quarter of a core at most. */
const restMs = 3 * deadlineMs;
/** Expressions of one tenant that may wait for the thread. */
const queueLimit = 10_000;

const overrun = `it took longer than ${deadlineMs} ms`;
const stopping: CelResult = { ok: false, message: 'the engine is stopping' };

/** Evaluates one tenant's expressions. */
export interface Expressions {
  /** @throws HatchetError INVALID_ARGUMENT for an expression that does not compile */
  evaluate(expression: string, variables: CelVariables): CelResult | Promise<CelResult>;
}

interface Request {
  owner: TurnOwner;
  expression: string;
  reads: ReadonlySet<string>;
  variables: CelVariables;
  resolve: (result: CelResult) => void;
}

/**
 * Evaluates expressions: at once, where their text and the length of the data bound their time; others go to a thread of
 * their own, one after the other, the tenants in turn, so that a hostile one costs the others 50 ms at a time and the main
 * thread nothing. One that overruns is stopped in the thread; where that cannot be, the thread is ended and another started. The thread starts with the first that needs it.
 */
export class CelEvaluator {
  readonly #queue = new TurnQueue<TurnOwner, Request>(queueLimit);
  #thread: Worker | undefined;
  #ready = false;
  #running: Request | undefined;
  /** What the thread holds, as JSON by name: several expressions of one payload come together, as an event's filters do. */
  readonly #held = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #rest: NodeJS.Timeout | undefined;
  #stopped = false;
  readonly #graceMs: number;

  /** `graceMs`: how long past the deadline of an expression the thread is waited for before it is ended. */
  constructor({ graceMs = defaultGraceMs }: { graceMs?: number } = {}) {
    this.#graceMs = graceMs;
  }

  of(owner: TurnOwner): Expressions {
    return { evaluate: (expression, variables) => this.evaluate(owner, expression, variables) };
  }

  /** @throws HatchetError INVALID_ARGUMENT for an expression that does not compile */
  evaluate(owner: TurnOwner, expression: string, variables: CelVariables): CelResult | Promise<CelResult> {
    const compiled = compileCel(expression);
    if (compiled.isCheap(variables.chars)) return compiled.evaluate(variables.values);
    if (this.#stopped) return stopping;
    return new Promise((resolve) => {
      const waits = this.#queue.push(owner, { owner, expression, reads: compiled.reads, variables, resolve });
      if (waits) this.#next();
      else resolve({ ok: false, message: `${queueLimit} expressions of the tenant wait already` });
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#rest);
    this.#finish(stopping);
    for (const request of this.#queue.clear()) request.resolve(stopping);
    await this.#thread?.terminate();
  }

  #next(): void {
    if (this.#running !== undefined || this.#queue.isEmpty) return;
    const thread = (this.#thread ??= this.#start());
    if (!this.#ready) return;
    const request = this.#queue.shift();
    if (request === undefined) return this.#nextAfterRest();
    this.#running = request;
    thread.postMessage(this.#message(request));
  }

  /** All who wait rest. */
  #nextAfterRest(): void {
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.#next(), this.#queue.restMs ?? 0);
  }

  #message({ expression, reads, variables }: Request): ToThread {
    const texts: Record<string, string | null> = {};
    for (const name of reads) {
      const text = variables.text(name);
      if (text === this.#held.get(name)) continue;
      texts[name] = text ?? null;
      if (text === undefined) this.#held.delete(name);
      else this.#held.set(name, text);
    }
    return { expression, texts, deadlineMs };
  }

  #start(): Worker {
    this.#ready = false;
    this.#held.clear();
    const thread = new Worker(threadFile(), {
      name: 'hatchet cel',
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    });
    thread.unref();
    thread.on('message', (message: FromThread) => {
      if (thread !== this.#thread) return;
      if (typeof message === 'object' && 'begins' in message) {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#overrun(), message.begins.wallMs + this.#graceMs);
        return;
      }
      if (message === 'ready') this.#ready = true;
      else if (message === 'overran') this.#refuse(overrun);
      else this.#finish(message);
      this.#next();
    });
    thread.on('error', (error) => this.#replace(thread, reasonOf(error)));
    return thread;
  }

  #finish(result: CelResult): void {
    clearTimeout(this.#timer);
    this.#running?.resolve(result);
    this.#running = undefined;
  }

  /** Of one that took more than it may: its tenant waits. */
  #refuse(why: string): void {
    if (this.#running !== undefined) this.#queue.rest(this.#running.owner, restMs);
    this.#finish({ ok: false, message: why });
  }

  /** Where the main thread was busy, the answer may lie there unread: it is read before the thread is judged. */
  #overrun(): void {
    const [thread, request] = [this.#thread, this.#running];
    setImmediate(() => {
      if (thread !== undefined && request !== undefined && this.#running === request) this.#replace(thread, overrun);
    });
  }

  #replace(thread: Worker, why: string): void {
    if (thread !== this.#thread) return;
    this.#thread = undefined;
    void thread.terminate();
    this.#refuse(why);
    // A thread that does not even start is not tried again for those that wait.
    if (!this.#ready) for (const request of this.#queue.clear()) request.resolve({ ok: false, message: why });
    if (!this.#stopped) this.#next();
  }
}

function reasonOf(error: Error & { code?: string }): string {
  return error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    ? `it needs more than ${memoryMb} MB of memory`
    : `it could not be evaluated: ${error.message}`;
}

/** A thread needs a file of its own, which the build makes; the sources are TypeScript. */
function threadFile(): string {
  const file = join(packageRoot(), 'dist', 'engine', 'cel', 'cel-thread.js');
  if (!existsSync(file)) throw new Error(`${file} is missing: run npm run build`);
  return file;
}
