import { decodeJwt } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { KeyRing } from '../../engine/auth/key-ring.ts';
import type { Role } from '../../engine/auth/role.ts';
import { Tokens } from '../../engine/auth/tokens.ts';
import { newTenantId } from '../../engine/model/ids/tenant-id.ts';
import { engineFixture, engineForTest } from '../helpers/engine-fixture.ts';
import { MonitorHttp } from '../helpers/monitor-http.ts';
import { tenantOf } from '../helpers/tenant.ts';

const fixture = engineFixture('page-links', { allowSkip: true });

interface Answer {
  status: number;
  body: unknown;
}

async function answerOf(sent: Promise<Response>): Promise<Answer> {
  const response = await sent;
  const body: unknown = await response.json();
  return { status: response.status, body };
}

function http(token: string | undefined = fixture.token): MonitorHttp {
  return new MonitorHttp({ http: fixture.engine.http, token });
}

async function linkCode(token?: string): Promise<string> {
  const { body } = await answerOf(http(token).post('/api/v1/page/links'));
  const { code }: { code: string } = Object(body);
  return code;
}

/** As a browser that has nothing but the link. */
function signIn(code: unknown): Promise<Answer> {
  const stranger = new MonitorHttp({ http: fixture.engine.http, token: undefined });
  return answerOf(stranger.post('/api/v1/page/sign-in', { code }));
}

async function tokenOf(role: Role): Promise<string> {
  const { pool } = fixture.database;
  const addresses = { serverUrl: 'http://127.0.0.1:1', grpcBroadcastAddress: '127.0.0.1:1' };
  const keys = await KeyRing.open(pool, { dataDir: fixture.dataDir });
  const tenantId = tenantOf(fixture.hatchet.tenantId);
  return new Tokens(pool, keys).create({ tenantId, name: role, role, addresses });
}

async function me(token: string): Promise<Answer> {
  const { host, port } = fixture.engine.http;
  return answerOf(fetch(`http://${host}:${port}/api/v1/page/me`, { headers: { authorization: `Bearer ${token}` } }));
}

const refusal = (status: number, code: string): Answer => ({
  status,
  body: { errors: [{ code, description: expect.any(String) }] },
});

describe('a link to the page', () => {
  it('gives the token of whoever made it, once', async () => {
    const code = await linkCode();
    const { tenantId } = fixture.hatchet;
    expect(code.startsWith(`${tenantId}.`)).toBe(true);
    expect(await signIn(code)).toEqual({ status: 200, body: { token: fixture.token, tenantId, role: 'admin' } });
    expect(await signIn(code)).toEqual(refusal(401, 'LINK_REFUSED'));
  });

  it('gives no more than its maker has', async () => {
    const token = await tokenOf('viewer');
    expect(await signIn(await linkCode(token))).toMatchObject({ status: 200, body: { token, role: 'viewer' } });
  });

  it('is good for a minute', async () => {
    const [kept, late] = [await linkCode(), await linkCode()];
    const now = Date.now();
    try {
      vi.useFakeTimers({ toFake: ['Date'], now: now + 59_000 });
      expect((await signIn(kept)).status).toBe(200);
      vi.setSystemTime(now + 61_000);
      expect(await signIn(late)).toEqual(refusal(401, 'LINK_REFUSED'));
    } finally {
      vi.useRealTimers();
    }
  });

  it('is no better than its token, which may be revoked meanwhile', async () => {
    const token = await tokenOf('admin');
    const code = await linkCode(token);
    await fixture.database.pool.query('UPDATE token SET revoked_at = now() WHERE id = $1', [
      decodeJwt(token)['token_id'],
    ]);
    await expect.poll(async () => (await me(token)).status).toBe(401);
    expect(await signIn(code)).toEqual(refusal(401, 'UNAUTHENTICATED'));
  });

  it('is not made without a token', async () => {
    const stranger = new MonitorHttp({ http: fixture.engine.http, token: undefined });
    expect(await answerOf(stranger.post('/api/v1/page/links'))).toEqual(refusal(401, 'UNAUTHENTICATED'));
  });

  it('is in the audit log, and so is its use', async () => {
    await signIn(await linkCode());
    await expect
      .poll(async () => {
        const { rows } = await fixture.database.pool.query<{ action: string; outcome: string }>(
          `SELECT action, outcome FROM audit_line WHERE action ~ '/page/' ORDER BY id DESC LIMIT 2`,
        );
        return rows.reverse();
      })
      .toEqual([
        { action: 'POST /api/v1/page/links', outcome: 'OK' },
        { action: 'POST /api/v1/page/sign-in', outcome: 'OK' },
      ]);
  });
});

describe('whose token it is', () => {
  it('is told to the token', async () => {
    expect(await me(fixture.token)).toEqual({
      status: 200,
      body: {
        tenantId: fixture.hatchet.tenantId,
        tenantName: 'default',
        role: 'admin',
        expiresAt: expect.any(String),
        engineVersion: fixture.engine.version,
        canSkipSleeps: true,
      },
    });
    expect((await me(await tokenOf('worker'))).body).toMatchObject({ role: 'worker', canSkipSleeps: false });
    expect(await me('x.y.z')).toEqual(refusal(401, 'UNAUTHENTICATED'));
  });
});

describe('an engine that serves no page', () => {
  it('says so, and makes no links to it', async () => {
    const other = await engineForTest('no-page', { page: false });
    const { host, port } = other.engine.http;
    const base = `http://${host}:${port}`;
    expect((await fetch(base, { headers: { accept: 'text/html' } })).status).toBe(404);
    const answer = await answerOf(
      new MonitorHttp({ http: { host, port }, token: other.token }).post('/api/v1/page/links'),
    );
    expect(answer).toEqual(refusal(501, 'NOT_SUPPORTED'));
  });
});

describe('pages of other sites', () => {
  it('can neither sign in nor load the page while the engine listens on a loopback address', async () => {
    const { host, port } = fixture.engine.http;
    const base = `http://${host}:${port}`;
    const headers = { origin: 'https://example.com', accept: 'text/html' };
    const body = JSON.stringify({ code: await linkCode() });
    expect((await fetch(`${base}/api/v1/page/sign-in`, { method: 'POST', headers, body })).status).toBe(403);
    expect((await fetch(base, { headers })).status).toBe(403);
    expect((await fetch(`${base}/assets/main.js`, { headers })).status).toBe(403);
  });
});

describe('codes that are not good', () => {
  it('are refused, whatever is wrong with them', async () => {
    const { tenantId } = fixture.hatchet;
    for (const code of ['', 'x', tenantId, `${tenantId}.`, `${tenantId}.x.y`, `${tenantId}.${'A'.repeat(43)}`])
      expect(await signIn(code), code).toEqual(refusal(401, 'LINK_REFUSED'));
    expect(await signIn(`${newTenantId()}.${'A'.repeat(43)}`)).toEqual(refusal(401, 'LINK_REFUSED'));
    expect(await signIn(undefined)).toEqual(refusal(400, 'INVALID_ARGUMENT'));
    expect(await signIn(7)).toEqual(refusal(400, 'INVALID_ARGUMENT'));
    expect(await signIn('x'.repeat(5_000))).toEqual(refusal(413, 'PAYLOAD_TOO_LARGE'));
  });

  // Last: from then on nobody signs in from this address for a minute.
  it('and links that nobody uses, are limited in number', async () => {
    const codes: string[] = [];
    let last: Answer;
    do {
      last = await answerOf(http().post('/api/v1/page/links'));
      const { code }: { code?: string } = Object(last.body);
      if (code !== undefined) codes.push(code);
    } while (last.status === 200 && codes.length < 200);
    expect(last).toEqual(refusal(429, 'LIMIT_REACHED'));
    expect(codes.length).toBeGreaterThan(90);
    const wrong = `${fixture.hatchet.tenantId}.${'B'.repeat(43)}`;
    const statuses = new Set<number>();
    for (let n = 0; n < 25; n++) statuses.add((await signIn(wrong)).status);
    expect(statuses).toEqual(new Set([401, 429]));
    expect(await signIn(codes[0])).toEqual(refusal(429, 'LIMIT_REACHED'));
  });
});
