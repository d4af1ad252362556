import type { Pool } from 'pg';
import type { Logger } from '../base/log.ts';

/** What people see of heartbeats may be this old; who is alive is decided from memory. */
const everyMs = 10_000;

const writeBeats = {
  name: 'write_heartbeats',
  text: `
    UPDATE worker w SET last_heartbeat_at = u.at
    FROM unnest($1::uuid[], $2::timestamptz[]) AS u (id, at) WHERE w.id = u.id`,
};

/** Stores heartbeats now and then, all in one statement; nothing when none came. */
export class HeartbeatWriter {
  readonly #timer: NodeJS.Timeout;
  #since = Date.now();

  constructor(pool: Pool, log: Logger, heardSince: (sinceMs: number) => Iterable<{ workerId: string; atMs: number }>) {
    this.#timer = setInterval(() => {
      const beats = [...heardSince(this.#since)];
      this.#since = Date.now();
      if (beats.length === 0) return;
      pool
        .query({
          ...writeBeats,
          values: [beats.map((beat) => beat.workerId), beats.map((beat) => new Date(beat.atMs))],
        })
        .catch((error: unknown) => log.warn({ err: error }, 'heartbeats could not be stored'));
    }, everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
