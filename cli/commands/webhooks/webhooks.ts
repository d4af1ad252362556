import type { Hatchet, Webhook, WebhookChange, WebhookSource } from '../../../sdk/index.ts';
import type { CliContext } from '../../cli-context.ts';
import { wrongUse } from '../../cli-error.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import type { ConnectionFlags } from '../../connection/resolve-connection.ts';
import { withSdk } from '../../connection/with-sdk.ts';
import { ExitCode } from '../../exit-codes.ts';
import { checkObject } from '../../input/check-input.ts';
import { offsetPage, offsetQuery, type OffsetFlags } from '../../input/offset-page.ts';
import { readSecret, type SecretFlags } from '../../input/read-secret.ts';
import { jsonText, plainLines } from '../../output/plain-text.ts';
import type { Table } from '../../output/table.ts';
import { secretNames, webhookAuth, type AuthFlags } from './webhook-auth.ts';

export type WebhookFlags = ConnectionFlags & OutputFlag;

export interface ListWebhooksFlags extends WebhookFlags, OffsetFlags {
  source?: WebhookSource;
}

export interface UpdateWebhookFlags extends WebhookFlags {
  key?: string;
  scope?: string;
  payload?: string;
  respondEvent?: boolean;
}

export interface CreateWebhookFlags extends UpdateWebhookFlags, AuthFlags, SecretFlags {
  key: string;
  source: WebhookSource;
}

interface WebhookRow {
  name: string;
  source: WebhookSource;
  auth: string;
  /** CEL. */
  key: string;
  scope: string | null;
  payload: object | null;
  respondsWithEvent: boolean;
  /** Under the engine's HTTP address as it is seen from here. */
  url: string;
  createdAt: string;
  /** Why the newest refused request was refused. */
  lastError: string | null;
  lastErrorAt: string | null;
}

const table: Table<WebhookRow> = {
  columns: [
    { title: 'WEBHOOK', cell: (row) => row.name, max: 30 },
    { title: 'SOURCE', cell: (row) => row.source },
    { title: 'AUTH', cell: (row) => row.auth },
    { title: 'KEY', cell: (row) => row.key, max: 50 },
    { title: 'LAST REFUSAL', cell: (row) => row.lastError ?? '' },
  ],
  empty: 'No webhooks.',
};

function rowOf(hatchet: Hatchet, webhook: Webhook): WebhookRow {
  const {
    name,
    sourceName,
    authType,
    eventKeyExpression,
    scopeExpression,
    staticPayload,
    returnEventAsResponsePayload,
    metadata,
    lastError,
    lastErrorAt,
  } = webhook;
  return {
    name,
    source: sourceName,
    auth: authType,
    key: eventKeyExpression,
    scope: scopeExpression ?? null,
    payload: staticPayload ?? null,
    respondsWithEvent: returnEventAsResponsePayload === true,
    url: hatchet.webhooks.url(name),
    createdAt: metadata.createdAt,
    lastError: lastError ?? null,
    lastErrorAt: lastErrorAt ?? null,
  };
}

export async function listWebhooks(context: CliContext, flags: ListWebhooksFlags): Promise<ExitCode> {
  const { source } = flags;
  const rows = await withSdk(context, flags, async (hatchet) =>
    (
      (await hatchet.webhooks.list({ ...offsetQuery(flags), sourceNames: source === undefined ? [] : [source] }))
        .rows ?? []
    ).map((webhook) => rowOf(hatchet, webhook)),
  );
  outputOf(context, flags).list(offsetPage(rows, flags), table);
  return ExitCode.done;
}

/** @throws HatchetError UNKNOWN_RUN */
export async function getWebhook(context: CliContext, name: string, flags: WebhookFlags): Promise<ExitCode> {
  const row = await withSdk(context, flags, async (hatchet) => rowOf(hatchet, await hatchet.webhooks.get(name)));
  outputOf(context, flags).value(row, () => render(row));
  return ExitCode.done;
}

/** @throws CliError, HatchetError */
export async function createWebhook(context: CliContext, name: string, flags: CreateWebhookFlags): Promise<ExitCode> {
  const { source, key } = flags;
  const auth = webhookAuth(source, flags);
  const change = changeOf(flags);
  const secret = await readSecret(context, flags, secretNames[flags.auth]);
  const row = await withSdk(context, flags, async (hatchet) =>
    rowOf(
      hatchet,
      await hatchet.webhooks.create({
        ...change,
        name,
        sourceName: source,
        eventKeyExpression: key,
        auth: auth(secret),
      }),
    ),
  );
  const output = outputOf(context, flags);
  output.value(row, () => row.url);
  output.note(
    `Give this address to the sender. If it cannot reach ${new URL(row.url).host}, put a proxy or a tunnel in front; the path stays.`,
  );
  return ExitCode.done;
}

/** @throws CliError, HatchetError */
export async function updateWebhook(context: CliContext, name: string, flags: UpdateWebhookFlags): Promise<ExitCode> {
  const change = changeOf(flags);
  if (Object.keys(change).length === 0)
    throw wrongUse(
      'nothing to change was given',
      'Give --key, --scope, --payload, --respond-event or --no-respond-event.',
    );
  const row = await withSdk(context, flags, async (hatchet) =>
    rowOf(hatchet, await hatchet.webhooks.update(name, change)),
  );
  outputOf(context, flags).value(row, () => render(row));
  return ExitCode.done;
}

/** @throws HatchetError UNKNOWN_RUN */
export async function deleteWebhook(context: CliContext, name: string, flags: WebhookFlags): Promise<ExitCode> {
  await withSdk(context, flags, (hatchet) => hatchet.webhooks.delete(name));
  outputOf(context, flags).value({ name, deleted: true }, () => `${name}  deleted`);
  return ExitCode.done;
}

/** What the flags say, and nothing of what they don't. @throws CliError with exit code 2 */
function changeOf({ key, scope, payload, respondEvent }: UpdateWebhookFlags): WebhookChange {
  return {
    ...(key === undefined ? {} : { eventKeyExpression: key }),
    ...(scope === undefined ? {} : { scopeExpression: scope }),
    ...(payload === undefined ? {} : { staticPayload: checkObject(payload, '--payload') }),
    ...(respondEvent === undefined ? {} : { returnEventAsResponsePayload: respondEvent }),
  };
}

function render(row: WebhookRow): string {
  return plainLines(
    [
      `${row.name}  ${row.source}  ${row.auth}`,
      `POST ${row.url}`,
      `key ${row.key}`,
      ...(row.scope === null ? [] : [`scope ${row.scope}`]),
      ...(row.payload === null ? [] : [`payload ${jsonText(row.payload)}`]),
      ...(row.respondsWithEvent ? ['answers with the event'] : []),
      ...(row.lastError === null ? [] : [`last refusal ${row.lastErrorAt ?? ''}: ${row.lastError}`]),
    ].join('\n'),
  );
}
