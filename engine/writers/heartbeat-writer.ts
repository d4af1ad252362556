import type { Pool } from 'pg';
import type { Logger } from '../base/log.ts';

/** What people see of heartbeats may be this old; who is alive is decided from memory. */
const everyMs = 10_000;
/** The timer may be late: a heartbeat is rather stored twice than not at all. */
const slackMs = 1_000;

export const writeBeats = {
  name: 'write_heartbeats',
  text: `
    UPDATE worker w SET last_heartbeat_at = clock_timestamp() - u.ago_ms * interval '1 ms'
    FROM unnest($1::uuid[], $2::float8[]) AS u (id, ago_ms) WHERE w.id = u.id`,
};

/** Stores heartbeats now and then, all in one statement; nothing when none came. */
export class HeartbeatWriter {
  readonly #timer: NodeJS.Timeout;

  constructor(pool: Pool, log: Logger, heardWithin: (ms: number) => Iterable<{ workerId: string; agoMs: number }>) {
    this.#timer = setInterval(() => {
      const beats = [...heardWithin(everyMs + slackMs)];
      if (beats.length === 0) return;
      pool
        .query({
          ...writeBeats,
          values: [beats.map((beat) => beat.workerId), beats.map((beat) => beat.agoMs)],
        })
        .catch((error: unknown) => log.warn({ err: error }, 'heartbeats could not be stored'));
    }, everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
