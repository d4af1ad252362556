import { RateLimitDuration } from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import { toHatchetError } from '../connection/call-error.ts';
import type { Connection } from '../connection/connection.ts';
import { callRest } from '../connection/rest.ts';
import { callUnary, repeatForMs } from '../connection/repeat-calls.ts';
import { enumValue, type EnumInput } from '../enum-value.ts';

/** A rate limit with what is left of it. */
export interface RateLimitState {
  key: string;
  /** Units of a window. */
  limitValue: number;
  /** Units that are left in the present window. */
  value: number;
  /** `SECOND` to `YEAR`. */
  window: string;
  /** When the present window began. */
  lastRefill?: string;
}

/** Declares rate limits by key; tasks use them as `staticKey`. */
export class RateLimitsClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Sets how many units a window of the key holds: a second, unless `duration` says otherwise. A lower limit holds at once,
   * a higher one from the next refill.
   * @returns the key
   * @throws HatchetError
   */
  async upsert(limit: {
    key: string;
    limit: number;
    duration?: EnumInput<typeof RateLimitDuration> | undefined;
  }): Promise<string> {
    const { workflows } = this.#connection;
    const duration = enumValue(
      RateLimitDuration,
      limit.duration ?? 'SECOND',
      `duration of the rate limit ${limit.key}`,
      'INVALID_ARGUMENT',
    );
    try {
      await callUnary(
        this.#connection,
        workflows.putRateLimit.bind(workflows),
        { key: limit.key, limit: limit.limit, duration },
        { repeatForMs },
      );
      return limit.key;
    } catch (error) {
      throw toHatchetError(error, `put the rate limit ${limit.key}`);
    }
  }

  /** By key. @throws HatchetError */
  async list(query: { search?: string; limit?: number; offset?: number } = {}): Promise<{ rows?: RateLimitState[] }> {
    const { config } = this.#connection;
    const { rows, ...page } = await callRest<{ rows?: RateLimitState[] }>(
      config,
      'GET',
      `/api/v1/tenants/${config.tenantId}/rate-limits`,
      { query },
    );
    // A cluster says `1 MINUTE`.
    return {
      ...page,
      ...(rows === undefined ? {} : { rows: rows.map((row) => ({ ...row, window: row.window.replace(/^1 /, '') })) }),
    };
  }

  /** Tasks that name the key wait from then on until it is put again. @throws HatchetError UNKNOWN_RUN */
  async delete(key: string): Promise<void> {
    const { config } = this.#connection;
    await callRest(config, 'DELETE', `/api/v1/tenants/${config.tenantId}/rate-limits`, { query: { key } });
  }
}
