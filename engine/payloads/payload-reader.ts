import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { HatchetError } from '../base/errors.ts';
import { longestInline } from '../model/limits.ts';
import { checkSize, checkedJson } from '../model/payload/check-payload.ts';
import { TurnQueue } from '../base/turn-queue.ts';
import { packageRoot } from '../base/package-version.ts';
import { cutBody, joinBody, type CutBody } from './cut-body.ts';
import type { FromThread } from './payload-thread.ts';
import { readPayload, type PayloadWork } from './read-payload.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

/** Payloads of one tenant that may wait for the thread: calls in flight hold them in memory anyway. */
const queueLimit = 10_000;

interface Request {
  asked: PayloadWork;
  resolve: (done: CutBody | undefined) => void;
  reject: (error: unknown) => void;
}

/**
 * Reads the payloads of callers. To find that 4 MB are JSON takes 18 ms, in which nobody else would be served: long ones go
 * to a thread of their own, which costs the main thread the copy of the text, 2 ms; one after the other, the tenants in turn.
 * The thread starts with the first that needs it. Rejected: to parse in slices on the main thread, which needs a JSON parser
 * of our own, and where four calls at once take as long in all.
 */
export class PayloadReader {
  readonly #queue = new TurnQueue<TenantId, Request>(queueLimit);
  #thread: Worker | undefined;
  #running: Request | undefined;
  #stopped = false;

  /**
   * Whether JSON may be stored, as checkedJson says.
   * @param what names the text in a refusal
   * @returns undefined where the text has been checked at once: most are short, and their calls need not wait
   * @throws HatchetError as checkedJson does; the promise is rejected alike
   */
  check(tenantId: TenantId, text: string, what: string): Promise<void> | undefined {
    if (text.length <= longestInline) {
      checkedJson(text, what);
      return undefined;
    }
    checkSize(text, what);
    return this.#ask(tenantId, { work: 'check', text, what }).then(() => undefined);
  }

  /**
   * A REST body whose payloads have become JsonText.
   * @throws HatchetError INVALID_ARGUMENT for what is no JSON object, or nested too deep
   */
  async body(tenantId: TenantId, text: string): Promise<Record<string, unknown>> {
    if (text.length <= longestInline) return joinBody(cutBody(text));
    const cut = await this.#ask(tenantId, { work: 'body', text });
    return cut === undefined ? {} : joinBody(cut);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const waiting = this.#queue.clear();
    if (this.#running !== undefined) waiting.push(this.#running);
    this.#running = undefined;
    for (const request of waiting) request.reject(stopping());
    await this.#thread?.terminate();
  }

  #ask(tenantId: TenantId, asked: PayloadWork): Promise<CutBody | undefined> {
    if (this.#stopped) throw stopping();
    return new Promise((resolve, reject) => {
      if (this.#queue.push(tenantId, { asked, resolve, reject })) this.#next();
      else
        reject(
          new HatchetError('BUSY', `${queueLimit} long payloads of the tenant wait to be read already`, {
            remedy: 'Try again in a moment.',
          }),
        );
    });
  }

  #next(): void {
    if (this.#running !== undefined) return;
    const request = this.#queue.shift();
    if (request === undefined) return;
    this.#running = request;
    this.#thread ??= this.#start();
    this.#thread.postMessage(request.asked);
  }

  #start(): Worker {
    const thread = new Worker(threadFile(), { name: 'hatchet payloads' });
    thread.unref();
    thread.on('message', (answer: FromThread) => {
      this.#finish((request) => {
        if ('done' in answer) request.resolve(answer.done);
        else request.reject(new HatchetError(answer.refusal.code, answer.refusal.message, answer.refusal.options));
      });
    });
    // Out of memory, or not even started: the text is read here, and the next one has a new thread.
    thread.on('error', () => {
      this.#thread = undefined;
      this.#finish(readHere);
    });
    return thread;
  }

  #finish(answer: (request: Request) => void): void {
    const request = this.#running;
    this.#running = undefined;
    if (request !== undefined) answer(request);
    if (!this.#stopped) this.#next();
  }
}

function readHere({ asked, resolve, reject }: Request): void {
  try {
    resolve(readPayload(asked));
  } catch (error) {
    reject(error);
  }
}

function stopping(): HatchetError {
  return new HatchetError('STOPPING', 'the engine is stopping', { remedy: 'Try again once it runs.' });
}

/** A thread needs a file of its own, which the build makes; the sources are TypeScript. */
function threadFile(): string {
  const file = join(packageRoot(), 'dist', 'engine', 'payloads', 'payload-thread.js');
  if (!existsSync(file)) throw new Error(`${file} is missing: run npm run build`);
  return file;
}
