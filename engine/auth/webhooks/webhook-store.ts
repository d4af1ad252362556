import type { Pool } from 'pg';
import { HatchetError } from '../../base/errors.ts';
import type { Sealer } from '../secrets/sealer.ts';
import { checkLimit, type TenantLimits } from '../tenant-limits.ts';
import { RecentLookups } from './recent-lookups.ts';
import {
  webhookRow,
  type HmacAuth,
  type StoredWebhook,
  type Webhook,
  type WebhookAuth,
  type WebhookSource,
} from './webhook.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** Characters of a name. */
const longestName = 200;

/** Of a signing secret only what is sealed is stored; one in clear is from an engine of an earlier version that runs beside this. */
type StoredAuth = WebhookAuth | (Omit<HmacAuth, 'signingSecret'> & { sealedSecret: string });

interface WebhookSqlRow {
  id: string;
  tenant_id: TenantId;
  name: string;
  source: WebhookSource;
  event_key_expression: string;
  scope_expression: string | null;
  static_payload: string | null;
  returns_event: boolean;
  auth: StoredAuth;
  created_at: Date;
  updated_at: Date;
  last_error: string | null;
  last_error_at: Date | null;
}

const columns =
  'id, tenant_id, name, source, event_key_expression, scope_expression, static_payload, returns_event, auth, created_at, updated_at, last_error, last_error_at';

const listText = {
  name: 'list_webhooks',
  text: `
    SELECT ${columns} FROM webhook
    WHERE tenant_id = $1 AND (cardinality($2::text[]) = 0 OR source = ANY ($2)) AND (cardinality($3::text[]) = 0 OR name = ANY ($3))
    ORDER BY name OFFSET $4 LIMIT $5`,
};

const findText = {
  name: 'find_webhooks',
  text: `
    SELECT ${columns} FROM webhook w JOIN unnest($1::uuid[], $2::text[]) AS u (tenant_id, name) USING (tenant_id, name)
    WHERE EXISTS (SELECT FROM tenant n WHERE n.id = w.tenant_id AND n.deleted_at IS NULL)`,
};

const insertText = {
  name: 'insert_webhook',
  text: `
    INSERT INTO webhook (id, tenant_id, name, source, event_key_expression, scope_expression, static_payload, returns_event, auth)
    SELECT $1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::text, $7::text, $8::boolean, $9::jsonb
    WHERE (SELECT count(*) FROM webhook WHERE tenant_id = $2) < $10::int
    ON CONFLICT (tenant_id, name) DO NOTHING
    RETURNING ${columns}`,
};

/** Null keeps an expression; an empty text or object removes what may be absent. */
const updateText = {
  name: 'update_webhook',
  text: `
    UPDATE webhook SET
      event_key_expression = coalesce($3::text, event_key_expression),
      scope_expression = nullif(coalesce($4::text, scope_expression), ''),
      static_payload = nullif(coalesce($5::text, static_payload), '{}'),
      returns_event = coalesce($6::boolean, returns_event),
      updated_at = now()
    WHERE tenant_id = $1 AND name = $2
    RETURNING ${columns}`,
};

const deleteText = {
  name: 'delete_webhook',
  text: `DELETE FROM webhook WHERE tenant_id = $1 AND name = $2 RETURNING ${columns}`,
};

/** Between two notes of a refusal: strangers can have requests refused as often as they like. */
const refusalsMs = 10_000;
/** Webhooks whose last refusal is remembered, so that not each costs a statement. */
const mostRefusals = 10_000;
/** At most one write in ten seconds, whichever engine it is. */
const refusedText = {
  name: 'webhook_refused',
  text: `
    UPDATE webhook SET last_error = $2, last_error_at = now()
    WHERE id = $1 AND (last_error_at IS NULL OR last_error_at < now() - interval '10 seconds')`,
};

export interface WebhookChange {
  eventKeyExpression: string | undefined;
  scopeExpression: string | undefined;
  staticPayload: string | undefined;
  returnsEvent: boolean | undefined;
}

/** The webhooks of all tenants. They are no state of the planner: a request finds its own, and becomes a pushed event. */
export class WebhookStore {
  readonly #pool: Pool;
  readonly #limits: TenantLimits;
  readonly #sealer: Sealer;
  readonly #recent: RecentLookups<StoredWebhook>;
  /** By webhook, when a refusal was last noted. The oldest first. */
  readonly #refusedAtMs = new Map<string, number>();

  constructor(pool: Pool, { limits, sealer }: { limits: TenantLimits; sealer: Sealer }) {
    this.#pool = pool;
    this.#limits = limits;
    this.#sealer = sealer;
    this.#recent = new RecentLookups(async (keys) => {
      const { rows } = await this.#pool.query<WebhookSqlRow>({
        ...findText,
        values: [keys.map((key) => key.slice(0, 36)), keys.map((key) => key.slice(37))],
      });
      return new Map(rows.map((row) => [keyOf(row.tenant_id, row.name), this.#fromRow(row)]));
    });
  }

  /** For requests of strangers: as it was up to a second ago, where another engine has changed it since. */
  async findRecent(tenantId: TenantId, name: string): Promise<StoredWebhook | undefined> {
    return name.length > longestName || name.includes('\0') ? undefined : this.#recent.find(keyOf(tenantId, name));
  }

  async list(
    tenantId: TenantId,
    query: { sources: readonly string[]; names: readonly string[]; offset: number; limit: number },
  ): Promise<StoredWebhook[]> {
    const { rows } = await this.#pool.query<WebhookSqlRow>({
      ...listText,
      values: [tenantId, query.sources, query.names, query.offset, query.limit],
    });
    return rows.map((row) => this.#fromRow(row));
  }

  async find(tenantId: TenantId, name: string): Promise<StoredWebhook | undefined> {
    const [webhook] = await this.list(tenantId, { sources: [], names: [name], offset: 0, limit: 1 });
    return webhook;
  }

  /** @throws HatchetError INVALID_ARGUMENT for a name that is taken, LIMIT_REACHED */
  async create(webhook: Webhook): Promise<StoredWebhook> {
    const { id, tenantId, name, source, eventKeyExpression, scopeExpression, staticPayload, returnsEvent, auth } =
      webhook;
    const { rows } = await this.#pool.query<WebhookSqlRow>({
      ...insertText,
      values: [
        id,
        tenantId,
        name,
        source,
        eventKeyExpression,
        scopeExpression,
        staticPayload,
        returnsEvent,
        JSON.stringify(this.#sealed(id, auth)),
        this.#limits.of(tenantId).webhooks,
      ],
    });
    const [row] = rows;
    this.#recent.forget(keyOf(tenantId, name));
    if (row !== undefined) return this.#fromRow(row);
    const isTaken = (await this.find(tenantId, name)) !== undefined;
    if (!isTaken) checkLimit(this.#limits.of(tenantId), 'webhooks', this.#limits.of(tenantId).webhooks + 1);
    throw new HatchetError('INVALID_ARGUMENT', `there is a webhook ${JSON.stringify(name)} already`, {
      remedy: 'Choose another name, or delete that one.',
    });
  }

  async update(tenantId: TenantId, name: string, change: WebhookChange): Promise<StoredWebhook | undefined> {
    const { eventKeyExpression = null, scopeExpression = null, staticPayload = null, returnsEvent = null } = change;
    const { rows } = await this.#pool.query<WebhookSqlRow>({
      ...updateText,
      values: [tenantId, name, eventKeyExpression, scopeExpression, staticPayload, returnsEvent],
    });
    this.#recent.forget(keyOf(tenantId, name));
    return rows.map((row) => this.#fromRow(row))[0];
  }

  async delete(tenantId: TenantId, name: string): Promise<StoredWebhook | undefined> {
    const { rows } = await this.#pool.query<WebhookSqlRow>({ ...deleteText, values: [tenantId, name] });
    this.#recent.forget(keyOf(tenantId, name));
    return rows.map((row) => this.#fromRow(row))[0];
  }

  /** Notes why a request was refused. @returns false where another was noted just before */
  async refused(id: string, reason: string): Promise<boolean> {
    const nowMs = performance.now();
    if (nowMs - (this.#refusedAtMs.get(id) ?? -Infinity) < refusalsMs) return false;
    this.#refusedAtMs.delete(id);
    this.#refusedAtMs.set(id, nowMs);
    if (this.#refusedAtMs.size > mostRefusals)
      for (const oldest of this.#refusedAtMs.keys()) if (this.#refusedAtMs.delete(oldest)) break;
    await this.#pool.query({ ...refusedText, values: [id, reason.slice(0, 1000).replaceAll('\0', '')] });
    return true;
  }

  #sealed(id: string, auth: WebhookAuth): StoredAuth {
    if (auth.type !== 'HMAC') return auth;
    const { signingSecret, ...rest } = auth;
    return { ...rest, sealedSecret: this.#sealer.seal(signingSecret, webhookRow(id)) };
  }

  #opened(id: string, auth: StoredAuth): WebhookAuth {
    if (!('sealedSecret' in auth)) return auth;
    const { sealedSecret, ...rest } = auth;
    return { ...rest, signingSecret: this.#sealer.open(sealedSecret, webhookRow(id)) };
  }

  #fromRow(row: WebhookSqlRow): StoredWebhook {
    return {
      id: row.id,
      tenantId: row.tenant_id,
      name: row.name,
      source: row.source,
      eventKeyExpression: row.event_key_expression,
      scopeExpression: row.scope_expression,
      staticPayload: row.static_payload,
      returnsEvent: row.returns_event,
      auth: this.#opened(row.id, row.auth),
      createdAtMs: row.created_at.getTime(),
      updatedAtMs: row.updated_at.getTime(),
      lastError: row.last_error,
      lastErrorAtMs: row.last_error_at?.getTime() ?? null,
    };
  }
}

function keyOf(tenantId: TenantId, name: string): string {
  return `${tenantId} ${name}`;
}
