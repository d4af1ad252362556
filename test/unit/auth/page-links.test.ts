import { describe, expect, it } from 'vitest';
import { PageLinks, parseCode } from '../../../engine/auth/page-links.ts';
import { newTenantId } from '../../../engine/model/ids/tenant-id.ts';

const [ours, theirs] = [newTenantId(), newTenantId()];
const nowMs = 1_000_000;

describe('links to the page', () => {
  it('are good once', () => {
    const links = new PageLinks();
    const { code, expiresAtMs } = links.make(ours, 'token', nowMs);
    expect(expiresAtMs).toBe(nowMs + 60_000);
    expect(links.use(parseCode(code), nowMs)).toBe('token');
    expect(links.use(parseCode(code), nowMs)).toBeUndefined();
  });

  it('are good for a minute', () => {
    const links = new PageLinks();
    const [first, second] = [links.make(ours, 'a', nowMs), links.make(ours, 'b', nowMs)];
    expect(links.use(parseCode(first.code), nowMs + 59_999)).toBe('a');
    expect(links.use(parseCode(second.code), nowMs + 60_000)).toBeUndefined();
  });

  it('are the tenant’s own', () => {
    const links = new PageLinks();
    const { secret } = parseCode(links.make(ours, 'token', nowMs).code);
    expect(links.use({ tenantId: theirs, secret }, nowMs)).toBeUndefined();
    expect(links.use({ tenantId: ours, secret }, nowMs)).toBe('token');
  });

  it('are at most a hundred for each tenant; used and expired ones make room', () => {
    const links = new PageLinks();
    const codes = Array.from({ length: 100 }, () => links.make(ours, 'token', nowMs).code);
    expect(() => links.make(ours, 'token', nowMs)).toThrow(expect.objectContaining({ code: 'LIMIT_REACHED' }));
    expect(links.make(theirs, 'token', nowMs).code).toContain(theirs);
    expect(links.use(parseCode(codes[50] ?? ''), nowMs)).toBe('token');
    links.make(ours, 'token', nowMs);
    expect(() => links.make(ours, 'token', nowMs)).toThrow();
    links.make(ours, 'token', nowMs + 60_000);
  });

  it('have codes that name their tenant and hold 32 random bytes', () => {
    const links = new PageLinks();
    const codes = Array.from({ length: 20 }, () => links.make(ours, 'token', nowMs).code);
    expect(new Set(codes).size).toBe(20);
    for (const code of codes) {
      const { tenantId, secret } = parseCode(code);
      expect(tenantId).toBe(ours);
      expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    }
  });
});
