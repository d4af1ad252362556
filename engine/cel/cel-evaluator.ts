import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { packageRoot } from '../version.ts';
import type { CelResult } from './cel-result.ts';
import { compileCel } from './compile-cel.ts';

/** Time that an expression which loops may take. */
const deadlineMs = 50;
/** Expressions that may wait for the thread. */
const queueLimit = 10_000;

interface Request {
  expression: string;
  variables: Readonly<Record<string, unknown>>;
  resolve: (result: CelResult) => void;
}

/**
 * Evaluates expressions: at once, unless they loop; those go to a thread of their own, one after the other, so that a
 * hostile one costs its caller 50 ms and nobody else anything. The thread starts with the first that needs it.
 */
export class CelEvaluator {
  readonly #queue: Request[] = [];
  #thread: Worker | undefined;
  #ready = false;
  #running: Request | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @throws HatchetError INVALID_ARGUMENT for an expression that does not compile */
  evaluate(expression: string, variables: Readonly<Record<string, unknown>>): CelResult | Promise<CelResult> {
    const compiled = compileCel(expression);
    if (!compiled.heavy) return compiled.evaluate(variables);
    if (this.#stopped) return { ok: false, message: 'the engine is stopping' };
    if (this.#queue.length >= queueLimit) return { ok: false, message: `${queueLimit} expressions with loops wait already` };
    return new Promise((resolve) => {
      this.#queue.push({ expression, variables, resolve });
      this.#next();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const request of [...(this.#running === undefined ? [] : [this.#running]), ...this.#queue.splice(0)]) request.resolve({ ok: false, message: 'the engine is stopping' });
    this.#running = undefined;
    await this.#thread?.terminate();
  }

  #next(): void {
    if (this.#running !== undefined || this.#queue.length === 0) return;
    const thread = (this.#thread ??= this.#start());
    if (!this.#ready) return;
    const request = this.#queue.shift();
    if (request === undefined) return;
    this.#running = request;
    this.#timer = setTimeout(() => this.#overrun(), deadlineMs);
    try {
      thread.postMessage({ expression: request.expression, variables: request.variables });
    } catch (error) {
      // Stored before depth had a limit, they may be nested deeper than can be copied to a thread.
      this.#finish({ ok: false, message: `its variables cannot be passed on: ${error instanceof Error ? error.message : String(error)}` });
      this.#next();
    }
  }

  #start(): Worker {
    this.#ready = false;
    const thread = new Worker(threadFile(), { name: 'hatchet cel', resourceLimits: { maxOldGenerationSizeMb: 256 } });
    thread.unref();
    thread.on('message', (message: CelResult | 'ready') => {
      if (thread !== this.#thread) return;
      if (message === 'ready') this.#ready = true;
      else this.#finish(message);
      this.#next();
    });
    thread.on('error', (error) => this.#replace(thread, `it could not be evaluated: ${error.message}`));
    return thread;
  }

  #finish(result: CelResult): void {
    clearTimeout(this.#timer);
    this.#running?.resolve(result);
    this.#running = undefined;
  }

  #overrun(): void {
    const thread = this.#thread;
    if (thread !== undefined) this.#replace(thread, `it took longer than ${deadlineMs} ms`);
  }

  #replace(thread: Worker, why: string): void {
    if (thread !== this.#thread) return;
    this.#thread = undefined;
    void thread.terminate();
    this.#finish({ ok: false, message: why });
    // A thread that does not even start is not tried again for those that wait.
    if (!this.#ready) for (const request of this.#queue.splice(0)) request.resolve({ ok: false, message: why });
    if (!this.#stopped) this.#next();
  }
}

/** A thread needs a file of its own, which the build makes; the sources are TypeScript. */
function threadFile(): string {
  const file = join(packageRoot(), 'dist', 'engine', 'cel', 'cel-thread.js');
  if (!existsSync(file)) throw new Error(`${file} is missing: run npm run build`);
  return file;
}
