import type { AwakeClock } from '../base/awake-clock.ts';
import type { Clock } from '../base/clock.ts';
import { processHost, type Host, type HostTimer } from '../base/host.ts';
import type { Logger } from '../base/log.ts';
import { connect } from './connect.ts';
import type { Sql, SqlPool } from './sql-client.ts';

/** Between two readings of Postgres's clock. */
const everyMs = 10_000;
/** Readings at the start: each narrows down what the offset can be. */
const firstReadings = 3;
/** Postgres's clock was set, or the machine slept: more than two clocks drift apart between two readings. */
const jumpMs = 1_000;
/** The clock of this machine is wrong, or Postgres's is: people are told. */
const disagreementMs = 30_000;

/** How far Postgres's clock is ahead of this machine's, to about half of a round trip. @throws HatchetError POSTGRES_UNREACHABLE */
export async function clockAheadMs(url: string): Promise<number> {
  const { client } = await connect(url, 'hatchet clock');
  try {
    const askedMs = Date.now();
    const ms = await postgresTimeMs(client);
    return ms - (askedMs + Date.now()) / 2;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Asks Postgres for its time, in milliseconds. @param asked is called when the question goes out */
type ReadTime = (asked: () => void) => Promise<number>;

export function timeOf(pool: SqlPool): ReadTime {
  return async (asked) => {
    const client = await pool.connect();
    try {
      asked();
      return await postgresTimeMs(client);
    } finally {
      client.release();
    }
  };
}

export const readTime = 'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms';

export async function postgresTimeMs(client: Sql): Promise<number> {
  const { rows } = await client.query<{ ms: number }>(readTime);
  return rows[0]?.ms ?? 0;
}

/**
 * Postgres's time, for all that compares with what is stored: sleeps, crons, deadlines, windows, ids. It is this process's
 * monotonic clock and an offset, which is measured again and again; the wall clock of the machine, which anybody may set,
 * decides nothing.
 *
 * A reading says that Postgres's clock showed `ms` at some time between the question and the answer. An offset that agrees
 * with that stays, any other moves just so far that it does: a slow answer moves nothing. Small steps back are waited out,
 * so that time does not go backwards; one of more than a second is followed, since otherwise time would stand still.
 */
export class PostgresClock implements Clock {
  readonly #read: ReadTime;
  readonly #awake: AwakeClock;
  readonly #log: Logger;
  readonly #jumped: () => void;
  readonly #host: Host;
  #timer: HostTimer | undefined;
  /** Of Postgres's time over the monotonic clock. */
  #offsetMs: number | undefined;
  #latestUs = 0;
  /** What the time was when the process had been awake for no time at all. */
  #awakeSinceMs = 0;
  #disagrees = false;
  #reading: Promise<void> | undefined;

  /** @param options.jumped is called after a step of more than a second: what waits for a time looks again */
  constructor(options: { read: ReadTime; awake: AwakeClock; log: Logger; jumped?: () => void; host?: Host }) {
    this.#read = options.read;
    this.#awake = options.awake;
    this.#log = options.log;
    this.#jumped = options.jumped ?? (() => undefined);
    this.#host = options.host ?? processHost;
  }

  /** To be called before the first question for the time. */
  async start(): Promise<void> {
    for (let n = 0; n < firstReadings; n++) await this.measure();
    this.#awakeSinceMs = this.nowUs() / 1000 - this.#awake.nowMs();
    this.#timer = this.#host.setInterval(() => void this.#measureQuietly(), everyMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    this.#timer?.clear();
    await this.#reading;
  }

  nowUs(): number {
    if (this.#offsetMs === undefined) throw new Error("Postgres's clock has not been read yet");
    const us = Math.floor((this.#host.monotonicMs() + this.#offsetMs) * 1000);
    if (us > this.#latestUs || this.#latestUs - us > jumpMs * 1000) this.#latestUs = us;
    return this.#latestUs;
  }

  /** Time that has passed, or was set, without this process having lived through it. */
  standstillUs(): number {
    return Math.round(this.nowUs() - (this.#awakeSinceMs + this.#awake.nowMs()) * 1000);
  }

  /** Reads Postgres's clock once. */
  async measure(): Promise<void> {
    const host = this.#host;
    let askedMs = host.monotonicMs();
    const ms = await this.#read(() => {
      askedMs = host.monotonicMs();
    });
    const [least, most] = [ms - host.monotonicMs(), ms - askedMs];
    const before = this.#offsetMs;
    this.#offsetMs = before === undefined ? (least + most) / 2 : Math.min(Math.max(before, least), most);
    this.#report(this.#offsetMs - (before ?? this.#offsetMs), ms - host.wallMs());
  }

  #report(movedMs: number, aheadMs: number): void {
    if (Math.abs(movedMs) > jumpMs) {
      this.#log.warn(
        { movedMs: Math.round(movedMs) },
        "Postgres's clock was set, or this machine slept; time goes by it",
      );
      this.#jumped();
    }
    const disagrees = Math.abs(aheadMs) > disagreementMs;
    if (disagrees && !this.#disagrees)
      this.#log.warn(
        { aheadMs: Math.round(aheadMs) },
        "Postgres's clock and this machine's disagree; timers go by Postgres's. Set both by NTP",
      );
    this.#disagrees = disagrees;
  }

  /** While Postgres is away time goes on by the last reading. */
  #measureQuietly(): Promise<void> {
    this.#reading ??= this.measure()
      .catch((error: unknown) => this.#log.debug({ err: error }, "Postgres's clock could not be read"))
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }
}
