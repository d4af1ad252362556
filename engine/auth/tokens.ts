import { algorithm } from './secrets/open-secrets.ts';
import { decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import type { Pool } from 'pg';
import { HatchetError } from '../base/errors.ts';
import type { Checked } from '../model/checked.ts';
import { newId, parseUuid } from '../model/ids/uuid.ts';
import { classifyFailure } from '../postgres/sqlstate.ts';
import { type KeyRing } from './key-ring.ts';
import { isRole, type Role } from './role.ts';
import { parseTenantId, type TenantId } from '../model/ids/tenant-id.ts';
import { repeatDeadlocked } from '../postgres/repeat-deadlocked.ts';

export interface Addresses {
  /** Base URL of the REST API. */
  serverUrl: string;
  /** `host:port`, without a scheme. */
  grpcBroadcastAddress: string;
}

export interface Identity {
  tenantId: TenantId;
  tokenId: Checked<string>;
  role: Role;
  expiresAtMs: number;
}

interface NewToken {
  tenantId: TenantId;
  name: string;
  role?: Role | undefined;
  expiresInDays?: number | undefined;
  expiresAt?: Date | undefined;
}

export interface TokenInfo {
  id: string;
  name: string;
  role: Role;
  createdAt: Date;
  expiresAt: Date;
  revokedAt: Date | null;
  /** To the minute. */
  lastUsedAt: Date | null;
}

const issuer = 'hatchet-ts';
const defaultDays = 365;
/** A token is checked against the database this often: the longest that a revoked one still works. */
const recheckMs = 4_000;
const cacheLimit = 1_000;

/** What a signature vouches for. */
type Verified = Omit<Identity, 'role'> & { keyId: string };

interface TokenSqlRow {
  id: string;
  name: string;
  role: string;
  created_at: Date;
  expires_at: Date;
  revoked_at: Date | null;
  last_used_at: Date | null;
}

const insertToken = `INSERT INTO token (id, tenant_id, name, role, expires_at, key_id) VALUES ($1, $2, $3, $4, $5, $6)`;
const listTokens = `SELECT id, name, role, created_at, expires_at, revoked_at, last_used_at FROM token WHERE tenant_id = $1 ORDER BY created_at DESC LIMIT 1000`;
const listGoodTokens = `SELECT id, name, role, created_at, expires_at, revoked_at, last_used_at FROM token WHERE tenant_id = $1 AND revoked_at IS NULL AND expires_at > now() ORDER BY created_at DESC LIMIT 1000`;
const readTenantOfToken = `SELECT tenant_id FROM token WHERE id = $1`;
const revokeToken = `UPDATE token SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1 AND tenant_id = $2`;
/** Good no more with its key's retirement, too. Notes the use as well: at most one write a minute. */
const readToken = {
  name: 'read_token',
  text: `
    WITH used AS (
      UPDATE token SET last_used_at = now()
      WHERE id = $1 AND tenant_id = $2 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
    )
    SELECT t.role, t.revoked_at IS NOT NULL OR n.deleted_at IS NOT NULL OR NOT EXISTS (SELECT FROM signing_key k WHERE k.id = $3 AND k.retired_at IS NULL) AS revoked
    FROM token t JOIN tenant n ON n.id = t.tenant_id WHERE t.id = $1 AND t.tenant_id = $2`,
};
/** Those of the given that are good no more: revoked, of a tenant that goes, of a key that was retired, or gone themselves. */
const refusedTokens = {
  name: 'refused_tokens',
  text: `
    SELECT u.id FROM unnest($1::uuid[]) AS u (id)
    LEFT JOIN token t ON t.id = u.id LEFT JOIN tenant n ON n.id = t.tenant_id LEFT JOIN signing_key k ON k.id = t.key_id
    WHERE t.id IS NULL OR t.revoked_at IS NOT NULL OR n.deleted_at IS NOT NULL OR k.retired_at IS NOT NULL`,
};

/** Signs and checks the tokens that name a tenant. */
export class Tokens {
  readonly #pool: Pool;
  readonly #keys: KeyRing;
  readonly #cache = new Map<string, Identity & Verified & { checkedAtMs: number }>();
  /** One check at a time for a token: a thousand calls at once ask Postgres once. */
  readonly #checking = new Map<string, Promise<Identity>>();

  constructor(pool: Pool, keys: KeyRing) {
    this.#pool = pool;
    this.#keys = keys;
  }

  /**
   * @param options.role default admin
   * @param options.expiresInDays default 365
   * @param options.expiresAt in its place
   */
  async create(options: NewToken & { addresses: Addresses }): Promise<string> {
    return (await this.#create(options)).token;
  }

  /**
   * A token that leads to where another one leads.
   * @param token one that was authenticated
   */
  createLike(token: string, options: NewToken): Promise<{ id: string; token: string }> {
    const claims = decodeJwt(token);
    const addresses: Addresses = {
      serverUrl: String(claims['server_url']),
      grpcBroadcastAddress: String(claims['grpc_broadcast_address']),
    };
    return this.#create({ ...options, addresses });
  }

  async #create(options: NewToken & { addresses: Addresses }): Promise<{ id: string; token: string }> {
    const key = await this.#keys.signer();
    const id = newId();
    const expiresAt = options.expiresAt ?? new Date(Date.now() + (options.expiresInDays ?? defaultDays) * 86_400_000);
    await this.#pool.query(insertToken, [
      id,
      options.tenantId,
      options.name,
      options.role ?? 'admin',
      expiresAt,
      key.id,
    ]);
    const token = await new SignJWT({
      server_url: options.addresses.serverUrl,
      grpc_broadcast_address: options.addresses.grpcBroadcastAddress,
      token_id: id,
    })
      .setProtectedHeader({ alg: algorithm, kid: key.id })
      .setIssuer(issuer)
      .setSubject(options.tenantId)
      .setIssuedAt()
      .setExpirationTime(expiresAt)
      .sign(key.privateKey);
    return { id, token };
  }

  /**
   * Who a token speaks for. The signature is checked once (0.3 ms), revocation every few seconds. While Postgres is away,
   * a token that was good stays so: its tasks' reports must reach the engine, which waits for Postgres itself.
   * @throws HatchetError UNAUTHENTICATED, the same for every reason
   */
  authenticate(token: string): Promise<Identity> {
    const fresh = this.cached(token);
    if (fresh !== undefined) return Promise.resolve(fresh);
    const checking = this.#checking.get(token) ?? this.#check(token).finally(() => this.#checking.delete(token));
    this.#checking.set(token, checking);
    return checking;
  }

  /** The identity of a token that was checked a moment ago: spares the hot path a promise. */
  cached(token: string): Identity | undefined {
    const cached = this.#cache.get(token);
    const nowMs = Date.now();
    return cached !== undefined && nowMs < cached.expiresAtMs && nowMs - cached.checkedAtMs < recheckMs
      ? cached
      : undefined;
  }

  async #check(token: string): Promise<Identity> {
    const known = this.#cache.get(token);
    const claims = known ?? (await this.#verify(token));
    if (claims.expiresAtMs <= Date.now()) throw this.#refuse(token);
    let role: Role | undefined;
    try {
      role = await this.#currentRole(claims);
      if (role === undefined) throw this.#refuse(token);
    } catch (error) {
      if (known !== undefined && classifyFailure(error) === 'lost' && !(error instanceof HatchetError)) return known;
      throw error;
    }
    // Set anew, it is the youngest: the map's first is the one that was not used for longest.
    this.#cache.delete(token);
    const identity = { ...claims, role, checkedAtMs: Date.now() };
    this.#cache.set(token, identity);
    const [oldest] = this.#cache.keys();
    if (this.#cache.size > cacheLimit && oldest !== undefined) this.#cache.delete(oldest);
    return identity;
  }

  #refuse(token: string): HatchetError {
    this.#cache.delete(token);
    return unauthenticated();
  }

  async list(tenantId: TenantId): Promise<TokenInfo[]> {
    return (await this.#pool.query<TokenSqlRow>(listTokens, [tenantId])).rows.map(fromRow);
  }

  /** Those that are neither revoked nor expired, newest first. */
  async listGood(tenantId: TenantId): Promise<TokenInfo[]> {
    return (await this.#pool.query<TokenSqlRow>(listGoodTokens, [tenantId])).rows.map(fromRow);
  }

  /** Whose token it is; undefined where there is none. */
  async tenantOf(tokenId: string): Promise<TenantId | undefined> {
    const { rows } = await this.#pool.query<{ tenant_id: TenantId }>(readTenantOfToken, [tokenId]);
    return rows[0]?.tenant_id;
  }

  /** @returns whether there was such a token */
  async revoke(tenantId: TenantId, tokenId: string): Promise<boolean> {
    const { rowCount } = await this.#pool.query(revokeToken, [tokenId, tenantId]);
    for (const [text, identity] of this.#cache) if (identity.tokenId === tokenId) this.#cache.delete(text);
    return rowCount === 1;
  }

  /** Which of these tokens, by id, are good no more. */
  async refused(tokenIds: readonly string[]): Promise<ReadonlySet<string>> {
    const { rows } = await repeatDeadlocked(() =>
      this.#pool.query<{ id: string }>({ ...refusedTokens, values: [tokenIds] }),
    );
    return new Set(rows.map((row) => row.id));
  }

  async #verify(token: string): Promise<Verified> {
    // Outside of what refuses: that Postgres is away says nothing against a token.
    const key = await this.#keys.find(keyIdOf(token));
    if (key === undefined) throw unauthenticated();
    try {
      const { payload } = await jwtVerify(token, key.publicKey, { algorithms: [algorithm], issuer });
      const tenantId = parseTenantId(payload.sub ?? '');
      const tokenId = typeof payload['token_id'] === 'string' ? parseUuid(payload['token_id']) : undefined;
      if (tenantId === undefined || tokenId === undefined || payload.exp === undefined) throw unauthenticated();
      return { tenantId, tokenId, expiresAtMs: payload.exp * 1000, keyId: key.id };
    } catch {
      throw unauthenticated();
    }
  }

  /** Undefined for a token that is good no more. */
  async #currentRole({ tokenId, tenantId, keyId }: Verified): Promise<Role | undefined> {
    const { rows } = await repeatDeadlocked(() =>
      this.#pool.query<{ role: string; revoked: boolean }>({ ...readToken, values: [tokenId, tenantId, keyId] }),
    );
    const [row] = rows;
    return row === undefined || row.revoked ? undefined : roleOf(row.role);
  }
}

function fromRow(row: TokenSqlRow): TokenInfo {
  return {
    id: row.id,
    name: row.name,
    role: roleOf(row.role),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  };
}

/** One that a newer version made has no rights here. */
function roleOf(text: string): Role {
  return isRole(text) ? text : 'viewer';
}

function keyIdOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid;
  } catch {
    return undefined;
  }
}

function unauthenticated(): HatchetError {
  return new HatchetError('UNAUTHENTICATED', 'the token is not valid here', {
    remedy: 'Make a new one with `hatchet token create`, or check which engine the address leads to.',
  });
}
