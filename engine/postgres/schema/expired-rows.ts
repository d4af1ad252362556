import type { ClientBase } from 'pg';

/** Rows a statement: locks are short. */
const chunk = 10_000;

const expiredClaims = `
  DELETE FROM idempotency i USING (SELECT tenant_id, key FROM idempotency WHERE expires_us < $1 ORDER BY expires_us LIMIT $2) e
  WHERE i.tenant_id = e.tenant_id AND i.key = e.key AND i.expires_us < $1`;
const expiredDeliveries = `
  DELETE FROM webhook_delivery w USING (SELECT webhook_id, key FROM webhook_delivery WHERE expires_us < $1 ORDER BY expires_us LIMIT $2) e
  WHERE w.webhook_id = e.webhook_id AND w.key = e.key AND w.expires_us < $1`;
/** A dynamic limit's row says nothing once its window and its pause are over; no window is longer than a year. */
const expiredLimits = `DELETE FROM rate_limit WHERE NOT is_static AND window_start_us < $1 AND paused_until_us < extract(epoch FROM now()) * 1000000`;
const pastSchedules = `DELETE FROM schedule WHERE (run_id IS NOT NULL OR error IS NOT NULL) AND due_us < $1`;
/** Of processes that ended before they could take them away: commands wait for half a minute at most. */
const leftPayloads = `DELETE FROM staged_payload WHERE staged_at < now() - interval '1 hour'`;
const yearUs = 366 * 86_400 * 1_000_000;

/** Drops what has no meaning any more: idempotency keys and webhooks' deliveries that ran out, old windows of dynamic rate limits, scheduled runs past the retention, staged payloads that nobody takes. */
export async function dropExpiredRows(
  client: ClientBase,
  options: { nowMs: number; retentionDays: number },
): Promise<void> {
  const nowUs = options.nowMs * 1000;
  for (let dropped = chunk; dropped === chunk;)
    dropped = (await client.query(expiredClaims, [nowUs, chunk])).rowCount ?? 0;
  for (let dropped = chunk; dropped === chunk;)
    dropped = (await client.query(expiredDeliveries, [nowUs, chunk])).rowCount ?? 0;
  await client.query(expiredLimits, [nowUs - yearUs]);
  await client.query(leftPayloads);
  await client.query(pastSchedules, [nowUs - options.retentionDays * 86_400_000_000]);
}
