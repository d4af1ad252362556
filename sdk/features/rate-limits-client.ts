import { RateLimitDuration } from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import { toHatchetError } from '../connection/call-error.ts';
import type { Connection } from '../connection/connection.ts';
import { callUnary, repeatForMs } from '../connection/unary.ts';

/** Declares rate limits by key; tasks use them as `staticKey`. */
export class RateLimitsClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Sets how many units a window of the key holds. A lower limit holds at once, a higher one from the next refill.
   * @returns the key
   * @throws HatchetError
   */
  async upsert(limit: { key: string; limit: number; duration?: RateLimitDuration | undefined }): Promise<string> {
    const { workflows } = this.#connection;
    try {
      await callUnary(this.#connection, workflows.putRateLimit.bind(workflows), { key: limit.key, limit: limit.limit, duration: limit.duration ?? RateLimitDuration.SECOND }, { repeatForMs });
      return limit.key;
    } catch (error) {
      throw toHatchetError(error, `put the rate limit ${limit.key}`);
    }
  }
}
