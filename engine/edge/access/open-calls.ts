import type { Identity, Tokens } from '../../auth/tokens.ts';
import { HatchetError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** A revoked token is refused within 4 s; what it has open ends within the next look. */
const everyMs = 2_000;

interface OpenCall {
  identity: Identity;
  end: (error: HatchetError) => void;
}

/** Calls that stay open: streams of workers and of watchers. Each ends with its token: revoked, expired, or its tenant gone. */
export class OpenCalls {
  readonly #tokens: Pick<Tokens, 'refused'>;
  readonly #log: Logger;
  readonly #calls = new Set<OpenCall>();
  readonly #counts = new Map<TenantId, number>();
  readonly #timer: NodeJS.Timeout;
  #looking = false;

  constructor(tokens: Pick<Tokens, 'refused'>, log: Logger) {
    this.#tokens = tokens;
    this.#log = log;
    this.#timer = setInterval(() => void this.#look(), everyMs);
    this.#timer.unref();
  }

  /** How many calls of a tenant are open. */
  countOf(tenantId: TenantId): number {
    return this.#counts.get(tenantId) ?? 0;
  }

  /** @returns to call when the call has ended */
  add(identity: Identity, end: (error: HatchetError) => void): () => void {
    const call: OpenCall = { identity, end };
    this.#calls.add(call);
    this.#counts.set(identity.tenantId, this.countOf(identity.tenantId) + 1);
    return () => {
      if (!this.#calls.delete(call)) return;
      const left = this.countOf(identity.tenantId) - 1;
      if (left > 0) this.#counts.set(identity.tenantId, left);
      else this.#counts.delete(identity.tenantId);
    };
  }

  /** Those of the tenants that this is true of end. */
  endOf(isOfTenant: (tenantId: TenantId) => boolean, error: HatchetError): void {
    for (const { identity, end } of this.#calls) if (isOfTenant(identity.tenantId)) end(error);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#looking || this.#calls.size === 0) return;
    this.#looking = true;
    try {
      const ids = [...new Set([...this.#calls].map(({ identity }) => identity.tokenId))];
      const refused = await this.#tokens.refused(ids);
      const nowMs = Date.now();
      for (const { identity, end } of this.#calls) {
        if (refused.has(identity.tokenId)) end(ended('the token was revoked'));
        else if (identity.expiresAtMs <= nowMs) end(ended('the token has expired'));
      }
    } catch (error) {
      // While Postgres is away nothing is known of tokens: those that were good stay so.
      this.#log.debug({ err: error }, 'the tokens of open calls could not be checked');
    } finally {
      this.#looking = false;
    }
  }
}

function ended(why: string): HatchetError {
  return new HatchetError('UNAUTHENTICATED', `${why}, and the call with it`, {
    remedy: 'Make a new token with `hatchet token create`.',
  });
}
