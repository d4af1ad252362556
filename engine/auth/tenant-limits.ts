import type { Pool } from 'pg';
import { HatchetError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

/** What one tenant may use, where nothing else was set for it. */
export const defaultLimits = {
  /** Calls a second over gRPC and REST together; twice as many in a burst. What workers report does not count. */
  callsPerSecond: 10_000,
  /** Streams that are open at once: workers, subscriptions, watchers. */
  openStreams: 10_000,
  /** Workflows, by name. */
  workflows: 5_000,
  /** Characters of all definitions that the engine holds: the newest, and older ones until its next start. */
  definitionChars: 256 * 1024 * 1024,
  workers: 10_000,
  filters: 10_000,
  /** Characters of the filters' expressions, scopes and payloads together. */
  filterChars: 16 * 1024 * 1024,
  crons: 10_000,
  /** Runs that are scheduled for later. */
  schedules: 1_000_000,
  /** Rate limits that were put, and dynamic keys whose window is not over. */
  rateLimits: 100_000,
  /** Tasks that have not ended. */
  unfinishedTasks: 5_000_000,
  /** Operations in the log of one durable task. Reading so many again takes half a second, and 20 MB of memory while the task runs. */
  durableNodes: 20_000,
  webhooks: 1_000,
  /** Idempotency keys that are held. */
  idempotencyKeys: 1_000_000,
  /** Bytes that tasks stream a day. */
  streamBytesPerDay: 16 * 1024 * 1024 * 1024,
  /** Characters that tasks log a day. */
  logCharsPerDay: 16 * 1024 * 1024 * 1024,
} as const;

export type LimitName = keyof typeof defaultLimits;
export type Limits = Readonly<Record<LimitName, number>>;

export function isLimitName(name: string): name is LimitName {
  return Object.hasOwn(defaultLimits, name);
}

const readLimits = { name: 'read_tenant_limits', text: 'SELECT limits FROM tenant WHERE id = $1' };

/** Counted no further than the limit. */
const countKeys = {
  name: 'count_held_keys',
  text: 'SELECT count(*)::integer AS count FROM (SELECT FROM idempotency WHERE tenant_id = $1 LIMIT $2) AS held',
};
/** A million keys take Postgres 100 ms to count. */
const recountMs = 60_000;

/** What a person sets for a tenant is in force within this. */
const recheckMs = 2_000;
const cacheLimit = 10_000;

/** The limits of each tenant: the built-in ones, with what was set in their place. */
export class TenantLimits {
  readonly #pool: Pool;
  readonly #log: Logger;
  readonly #keys = new Map<TenantId, { count: number; checkedAtMs: number }>();
  readonly #known = new Map<TenantId, { limits: Limits; checkedAtMs: number; checking: boolean }>();

  constructor(pool: Pool, log: Logger) {
    this.#pool = pool;
    this.#log = log;
  }

  /** What is known now. The first call of a tenant, and one in a few seconds, has it read again beside it. */
  of(tenantId: TenantId): Limits {
    const known = this.#known.get(tenantId) ?? { limits: defaultLimits, checkedAtMs: -Infinity, checking: false };
    if (!known.checking && performance.now() - known.checkedAtMs > recheckMs) {
      known.checking = true;
      this.#known.delete(tenantId);
      this.#known.set(tenantId, known);
      const [oldest] = this.#known.keys();
      if (this.#known.size > cacheLimit && oldest !== undefined) this.#known.delete(oldest);
      void this.#read(tenantId, known);
    }
    return known.limits;
  }

  /** How many idempotency keys a tenant holds, as of a minute ago; each call adds to it what it lets through. */
  heldKeys(tenantId: TenantId): { count: number } {
    const keys = this.#keys.get(tenantId) ?? { count: 0, checkedAtMs: -Infinity };
    this.#keys.set(tenantId, keys);
    if (performance.now() - keys.checkedAtMs > recountMs) {
      keys.checkedAtMs = performance.now();
      this.#pool
        .query<{ count: number }>({ ...countKeys, values: [tenantId, this.of(tenantId).idempotencyKeys + 1] })
        .then(
          ({ rows }) => {
            keys.count = rows[0]?.count ?? 0;
          },
          (error: unknown) => this.#log.debug({ err: error }, "a tenant's keys could not be counted"),
        );
    }
    return keys;
  }

  async #read(tenantId: TenantId, known: { limits: Limits; checkedAtMs: number; checking: boolean }): Promise<void> {
    try {
      const { rows } = await this.#pool.query<{ limits: Record<string, unknown> }>({
        ...readLimits,
        values: [tenantId],
      });
      known.limits = mergedLimits(rows[0]?.limits ?? {});
    } catch (error) {
      this.#log.debug({ err: error }, "a tenant's limits could not be read; those that are known hold");
    } finally {
      known.checkedAtMs = performance.now();
      known.checking = false;
    }
  }
}

/** Names of other versions, and what is no number, say nothing. */
export function mergedLimits(own: Readonly<Record<string, unknown>>): Limits {
  const limits: Record<LimitName, number> = { ...defaultLimits };
  for (const [name, value] of Object.entries(own))
    if (isLimitName(name) && typeof value === 'number' && value >= 0) limits[name] = value;
  return limits;
}

/** @throws HatchetError LIMIT_REACHED, with what is used, the limit, and who can raise it */
export function checkLimit(limits: Limits, name: LimitName, used: number): void {
  const limit = limits[name];
  if (used <= limit) return;
  throw new HatchetError(
    'LIMIT_REACHED',
    `the tenant's limit ${name} is ${limit}, and the call would make it ${used}`,
    {
      details: { limit, used },
      remedy: `Use less, or have whoever runs the engine raise it: \`hatchet tenants limits <tenant> --set ${name}=<number>\`.`,
    },
  );
}
