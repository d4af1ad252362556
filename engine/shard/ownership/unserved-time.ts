import { leaseSeconds } from './process-lease.ts';

/**
 * Added to the time in which nobody served the shard, so that workers get back before their tasks' deadlines run on. Where a
 * worker may be away for longer before it is lost, it is as much: how long one was away before a crash is not stored.
 */
const leastGraceMs = 30_000;

/** Microseconds that are added for the take-over itself. @param workerTimeoutMs for so long a worker may be away before it is lost */
export function graceUs(workerTimeoutMs: number): number {
  return Math.max(workerTimeoutMs, leastGraceMs) * 1000;
}

/** Since when nobody serves a shard `s` with the lease `o` of its last owner: kept over any number of take-overs that failed. */
export const absentSince = `coalesce(s.absent_since, least(o.expires_at - interval '${leaseSeconds} s', clock_timestamp()), clock_timestamp())`;

/**
 * Time that counts against no deadline of a shard `s`: what was lost before, and the present absence since `free.since`, with
 * the grace of $4 microseconds. None for a shard that nobody has ever served.
 */
export const lostUs = `(s.lost_us + CASE WHEN free.epoch = 0 THEN 0 ELSE greatest(0, extract(epoch FROM clock_timestamp() - free.since)) * 1000000 + $4::bigint END)::bigint`;
