/** A line that is no event, so often: proxies and browsers keep a connection on which something comes. */
const keptAliveMs = 15_000;
const comment = ': \n\n';

/**
 * Server-sent events as the body of an answer. What is put waits until its reader has taken it, and has asked for more: so nobody
 * writes faster than the client reads, and at most one message of each writer is in memory.
 */
export class EventStream {
  readonly body: ReadableStream<Uint8Array>;
  readonly #encoder = new TextEncoder();
  readonly #timer: NodeJS.Timeout;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** Those whose messages are not taken yet. */
  #waiting: (() => void)[] = [];
  #isOver = false;

  constructor() {
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        // Called once all that was put is taken.
        pull: () => this.#taken(),
        cancel: () => this.#stop(),
      },
      { highWaterMark: 0 },
    );
    this.#timer = setInterval(() => {
      if (this.#waiting.length === 0) void this.#put(comment);
    }, keptAliveMs);
    this.#timer.unref();
  }

  /** Resolves once the client has taken it, or is gone. */
  message(json: string): Promise<void> {
    return this.#put(`data: ${json}\n\n`);
  }

  /** The last event. */
  end(name: 'end' | 'error', json: string): void {
    if (this.#isOver) return;
    void this.#put(`event: ${name}\ndata: ${json}\n\n`);
    this.#stop();
    this.#controller?.close();
  }

  /** Resolves everybody who waits: nobody reads any more. */
  abandon(): void {
    this.#stop();
  }

  #put(text: string): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#controller?.enqueue(this.#encoder.encode(text));
    });
  }

  #taken(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #stop(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
    this.#taken();
  }
}
