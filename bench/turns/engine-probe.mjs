// A preload of the engine's process (`node --import`), which measures it from inside and changes nothing of it: turns of the
// event loop, garbage collection, CPU, and how long the lane's transactions take. The parent asks by a message, `reset` or
// `read`, and is answered with the figures since the last reset.
import { openSync, readSync } from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';
import pg from 'pg';

/** Between two looks at the clock. A turn is what comes between two looks beyond this. */
const lookMs = 1;
const longestKept = 20;

/** Of the main thread: nanoseconds on a core, and waiting for one. Only Linux tells. */
class ThreadTime {
  #file = -1;
  #buffer = Buffer.alloc(96);

  constructor() {
    try {
      this.#file = openSync('/proc/self/schedstat', 'r');
    } catch {
      // Elsewhere a turn's own time is all of it.
    }
  }

  get isKnown() {
    return this.#file >= 0;
  }

  read() {
    if (!this.isKnown) return { cpuMs: 0, waitedMs: 0 };
    const length = readSync(this.#file, this.#buffer, 0, this.#buffer.length, 0);
    const [cpu = 0, waited = 0] = this.#buffer.toString('latin1', 0, length).split(' ').map(Number);
    return { cpuMs: cpu / 1e6, waitedMs: waited / 1e6 };
  }
}

class Figures {
  #time = new ThreadTime();
  #last = { atMs: performance.now(), ...this.#time.read() };
  #since;

  constructor() {
    this.reset();
    setInterval(() => this.#look(), lookMs).unref();
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        this.#since.gcMs += entry.duration;
        this.#since.longestGcMs = Math.max(this.#since.longestGcMs, entry.duration);
      }
    }).observe({ entryTypes: ['gc'] });
  }

  reset() {
    this.#since = {
      startedAt: performance.now(),
      thread: this.#time.read(),
      process: process.cpuUsage(),
      turns: [],
      overTarget: 0,
      gcMs: 0,
      longestGcMs: 0,
      transactions: 0,
      transactionsMs: 0,
      longestTransactionMs: 0,
    };
  }

  transaction(ms) {
    this.#since.transactions++;
    this.#since.transactionsMs += ms;
    this.#since.longestTransactionMs = Math.max(this.#since.longestTransactionMs, ms);
  }

  read() {
    const { startedAt, thread, process: before, turns, ...rest } = this.#since;
    const now = this.#time.read();
    const { user, system } = process.cpuUsage(before);
    const byOwn = [...turns].sort((a, b) => b.ownMs - a.ownMs);
    return {
      ...rest,
      ms: performance.now() - startedAt,
      cpuMs: (user + system) / 1000,
      mainCpuMs: now.cpuMs - thread.cpuMs,
      waitedMs: now.waitedMs - thread.waitedMs,
      longestTurnMs: Math.max(0, ...turns.map((turn) => turn.ms)),
      longest: byOwn[0] ?? { ms: 0, ownMs: 0, atMs: 0 },
      next: byOwn.slice(1, 5).map((turn) => turn.ownMs),
      rssMb: process.memoryUsage.rss() / 2 ** 20,
    };
  }

  #look() {
    const now = { atMs: performance.now(), ...this.#time.read() };
    const ms = now.atMs - this.#last.atMs - lookMs;
    // What the thread waited, for a core or for the collector's threads, it waited for the machine's sake.
    const ownMs = this.#time.isKnown ? Math.min(ms, now.cpuMs - this.#last.cpuMs) : ms;
    this.#last = now;
    if (ms < 2) return;
    const { turns } = this.#since;
    if (ownMs > 25) this.#since.overTarget++;
    turns.push({ ms, ownMs: Math.max(0, ownMs), atMs: now.atMs - this.#since.startedAt });
    if (turns.length < 10 * longestKept) return;
    const kept = new Set([
      ...[...turns].sort((a, b) => b.ms - a.ms).slice(0, longestKept),
      ...[...turns].sort((a, b) => b.ownMs - a.ownMs).slice(0, longestKept),
    ]);
    this.#since.turns = [...kept];
  }
}

/** The lane alone sends its statements without waiting; a transaction is from its BEGIN to the answer to its COMMIT. */
function timeTransactions(figures) {
  const query = Reflect.get(pg.Client.prototype, 'query');
  const begunAt = new WeakMap();
  pg.Client.prototype.query = function timed(...args) {
    const answer = query.apply(this, args);
    if (this.pipeline && args[0] === 'BEGIN') begunAt.set(this, performance.now());
    const begun = begunAt.get(this);
    if (this.pipeline && args[0] === 'COMMIT' && begun !== undefined) {
      answer.then(
        () => figures.transaction(performance.now() - begun),
        () => undefined,
      );
    }
    return answer;
  };
}

// Threads of the engine load it too.
if (isMainThread && process.send !== undefined) {
  const figures = new Figures();
  timeTransactions(figures);
  process.on('message', (message) => {
    if (message === 'read') process.send(figures.read());
    if (message === 'reset') figures.reset();
  });
  process.channel?.unref();
}
