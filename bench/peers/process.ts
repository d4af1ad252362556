/** A client or a worker of one contestant, as a process of its own: it does what the measuring process asks. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Adder, Job, JobWorker } from './contestant.ts';
import { loadContestant } from './contestants.ts';
import {
  nowMs,
  type FromProcess,
  type Range,
  type Reply,
  type Request,
  type Span,
  type ToProcess,
  type Until,
} from './messages.ts';
import { quantile } from './statistics.ts';

const contestant = await loadContestant(process.argv[2] ?? '');
let adder: Adder | undefined;
let body = '';
let worker: { running: JobWorker; log: EnteredLog } | undefined;
/** Jobs of the client that somebody waits for until a worker has entered them. */
const waiting = new Map<number, () => void>();

const send = (message: FromProcess): void => void process.send?.(message);
const jobOf = (i: number): Job => ({ i, body });

/** Text that nothing on its way can compress. */
function textOf(chars: number): string {
  return randomBytes(Math.ceil((chars * 3) / 4))
    .toString('base64')
    .slice(0, chars);
}

/** When each job of a range was entered for the first time. */
class EnteredLog {
  readonly times: number[];
  again = 0;
  readonly #jobs: Range;
  readonly #tell: 'each' | 'last' | 'none';
  #left: number;
  #untold: number[] = [];

  constructor(jobs: Range, tell: 'each' | 'last' | 'none') {
    this.times = Array.from({ length: jobs.count }, () => 0);
    this.#jobs = jobs;
    this.#tell = tell;
    this.#left = jobs.count;
  }

  readonly enter = (i: number): void => {
    if (this.#tell === 'none') return;
    const place = i - this.#jobs.from;
    if (this.times[place] !== 0) {
      this.again++;
      return;
    }
    this.times[place] = nowMs();
    if (this.#tell === 'each') this.#tellSoon(i);
    if (--this.#left === 0) send({ lastEntered: true });
  };

  /** One message for all that are entered in one turn of the event loop. */
  #tellSoon(i: number): void {
    if (this.#untold.push(i) > 1) return;
    setImmediate(() => {
      send({ entered: this.#untold });
      this.#untold = [];
    });
  }
}

function opened(): Adder {
  if (adder === undefined) throw new Error('the client is not open');
  return adder;
}

async function keepInFlight(jobs: Range, inFlight: number, until: Until): Promise<void> {
  const adder = opened();
  const addOne = async (i: number): Promise<void> => {
    if (until === 'result') {
      await adder.addAndWait?.(jobOf(i));
      return;
    }
    const entered = new Promise<void>((resolve) => waiting.set(i, resolve));
    await Promise.all([adder.add(jobOf(i)), entered]);
  };
  let next = jobs.from;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      for (let i = next++; i < jobs.from + jobs.count; i = next++) await addOne(i);
    }),
  );
}

/** The spans begin at the first call; one that is not whole at the end is left out. */
async function keepFor(from: number, inFlight: number, forMs: number, everyMs: number): Promise<Span[]> {
  const adder = opened();
  if (adder.addAndWait === undefined) throw new Error('the client cannot wait for results');
  const beganAt = nowMs();
  const took: number[][] = Array.from({ length: Math.floor(forMs / everyMs) }, () => []);
  let next = from;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (nowMs() < beganAt + forMs) {
        const sentAt = nowMs();
        await adder.addAndWait?.(jobOf(next++));
        const endedAt = nowMs();
        took[Math.floor((endedAt - beganAt) / everyMs)]?.push(endedAt - sentAt);
      }
    }),
  );
  return took.map((each) => ({ results: each.length, p50: quantile(each, 0.5), p99: quantile(each, 0.99) }));
}

/** At its times, whether the ones before are acknowledged or not. */
async function addPaced(jobs: Range, everyMs: number, until: Until): Promise<{ added: number[]; results: number[] }> {
  const adder = opened();
  const beganAt = nowMs();
  const added: number[] = [];
  const results = until === 'result' ? Array.from({ length: jobs.count }, () => Number.NaN) : [];
  const adding: Promise<void>[] = [];
  const addAndWait = async (n: number): Promise<void> => {
    await adder.addAndWait?.(jobOf(jobs.from + n));
    results[n] = nowMs();
  };
  for (let n = 0; n < jobs.count; n++) {
    const early = beganAt + n * everyMs - nowMs();
    if (early > 0) await delay(early);
    added.push(nowMs());
    adding.push(until === 'result' ? addAndWait(n) : adder.add(jobOf(jobs.from + n)));
  }
  await Promise.all(adding);
  return { added, results };
}

async function answer(request: Request): Promise<Partial<Reply>> {
  switch (request.do) {
    case 'prepare':
      await contestant.prepare(request.target, request.shape);
      return {};
    case 'open':
      body = textOf(request.shape.bodyChars);
      adder = await contestant.openAdder(request.target, request.load, request.shape);
      return { canWait: adder.addAndWait !== undefined };
    case 'addMany': {
      const jobs = Array.from({ length: request.jobs.count }, (_, n) => jobOf(request.jobs.from + n));
      const beganAt = nowMs();
      await opened().addMany(jobs);
      return { beganAt };
    }
    case 'keepInFlight':
      await keepInFlight(request.jobs, request.inFlight, request.until);
      return {};
    case 'keepFor':
      return { spans: await keepFor(request.from, request.inFlight, request.forMs, request.everyMs) };
    case 'addPaced': {
      const { added, results } = await addPaced(request.jobs, request.everyMs, request.until);
      return { times: added, resultTimes: results };
    }
    case 'close':
      await opened().close();
      adder = undefined;
      return {};
    case 'startWorker': {
      const { target, load, shape, jobs, tell } = request;
      const log = new EnteredLog(jobs, tell);
      worker = { running: await contestant.startWorker(target, load, log.enter, shape), log };
      return {};
    }
    case 'stopWorker': {
      if (worker === undefined) throw new Error('no worker runs');
      await worker.running.stop();
      const { times, again } = worker.log;
      worker = undefined;
      return { times, again };
    }
  }
}

process.on('message', (message: ToProcess) => {
  if ('entered' in message) {
    for (const i of message.entered) {
      waiting.get(i)?.();
      waiting.delete(i);
    }
    return;
  }
  const { id, request } = message;
  const beganAt = nowMs();
  answer(request).then(
    (reply) => send({ id, reply: { beganAt, endedAt: nowMs(), ...reply } }),
    (error: unknown) => send({ id, failed: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.on('disconnect', () => process.exit());
// The measuring process ends it: a Ctrl-C in the terminal reaches all of them.
process.on('SIGINT', () => undefined);
send({ ready: true });
