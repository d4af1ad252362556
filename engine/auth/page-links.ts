import { createHash, randomBytes } from 'node:crypto';
import { HatchetError } from '../base/errors.ts';
import { parseTenantId, type TenantId } from '../model/ids/tenant-id.ts';

/** How long a link can be used. */
const goodForMs = 60_000;
/** Links of one tenant that can be used at the same time. */
const mostOfTenant = 100;
const codeBytes = 32;

interface Link {
  token: string;
  expiresAtMs: number;
}

/**
 * Links by which a browser signs in to the page with the token of whoever made them: good once, and for a minute. They are in memory
 * alone, under a hash of their code, and are gone with the process. A code begins with the tenant's id, by which a request with it
 * finds the engine that has the tenant, and so the link.
 */
export class PageLinks {
  readonly #tenants = new Map<TenantId, Map<string, Link>>();

  /** @throws HatchetError LIMIT_REACHED */
  make(tenantId: TenantId, token: string, nowMs: number): { code: string; expiresAtMs: number } {
    this.#forgetExpired(nowMs);
    const links = this.#tenants.get(tenantId) ?? new Map<string, Link>();
    if (links.size >= mostOfTenant)
      throw new HatchetError(
        'LIMIT_REACHED',
        `the tenant has ${links.size} links to the page that nobody has used yet`,
        {
          details: { limit: mostOfTenant },
          remedy: `Use one of them, or wait ${goodForMs / 1000} s.`,
        },
      );
    const secret = randomBytes(codeBytes).toString('base64url');
    const expiresAtMs = nowMs + goodForMs;
    links.set(hashOf(secret), { token, expiresAtMs });
    this.#tenants.set(tenantId, links);
    return { code: `${tenantId}.${secret}`, expiresAtMs };
  }

  /** The token of a link, which is used up by it; undefined where there is none such, or none any more. */
  use({ tenantId, secret }: PageCode, nowMs: number): string | undefined {
    const links = this.#tenants.get(tenantId);
    const hash = hashOf(secret);
    const link = links?.get(hash);
    links?.delete(hash);
    return link === undefined || link.expiresAtMs <= nowMs ? undefined : link.token;
  }

  #forgetExpired(nowMs: number): void {
    for (const [tenantId, links] of this.#tenants) {
      for (const [hash, { expiresAtMs }] of links) if (expiresAtMs <= nowMs) links.delete(hash);
      if (links.size === 0) this.#tenants.delete(tenantId);
    }
  }
}

/** What a link's code says. */
export interface PageCode {
  tenantId: TenantId;
  secret: string;
}

/** @throws HatchetError LINK_REFUSED */
export function parseCode(code: string): PageCode {
  const [id = '', secret = '', ...rest] = code.split('.');
  const tenantId = parseTenantId(id);
  if (tenantId === undefined || secret === '' || rest.length > 0) throw linkRefused();
  return { tenantId, secret };
}

/** The same for every reason. */
export function linkRefused(): HatchetError {
  return new HatchetError('LINK_REFUSED', 'the link is not good: it was used, or is older than a minute', {
    remedy: 'Make a new one with `hatchet page`.',
  });
}

/** To look a secret up by it takes the same time, however much of it is right. */
function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
