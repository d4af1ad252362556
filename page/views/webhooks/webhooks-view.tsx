import type { ReactNode } from 'react';
import type { Webhook } from '../../../proto/gen/rest/answers.ts';
import { useAnswer } from '../../hooks/use-answer.ts';
import { ActionButton } from '../../parts/action-button.tsx';
import { Empty, Failed, Skeleton } from '../../parts/blank.tsx';
import { CopyButton } from '../../parts/copy-button.tsx';
import { PageHead } from '../../parts/page-head.tsx';
import { useRowCursor } from '../../parts/row-cursor.ts';
import { Ago } from '../../parts/time.tsx';
import { useCalls, useSession } from '../../session/session.ts';

const mostShown = 200;

export function WebhooksView(): ReactNode {
  const { value, error, reload } = useAnswer(
    'webhooks',
    (calls, signal) =>
      calls.rest('GET /api/v1/stable/tenants/:tenant/webhooks', { query: { limit: mostShown }, signal }),
    { everyMs: 10_000 },
  );
  const rows = value?.rows ?? [];
  const cursor = useRowCursor(rows.map(({ name }) => name));
  return (
    <div className="view">
      <PageHead title="Webhooks" />
      {error !== undefined && value === undefined ? <Failed error={error} onRetry={reload} /> : null}
      {value === undefined ? (
        error === undefined ? (
          <Skeleton />
        ) : null
      ) : rows.length === 0 ? (
        <Empty title="No webhooks yet">
          <p>
            Make one with <code>hatchet webhooks create</code>: what others post to it becomes an event.
          </p>
        </Empty>
      ) : (
        <ul className="plain stack" aria-label="Webhooks">
          {rows.map((webhook) => (
            <WebhookItem
              key={webhook.metadata.id}
              webhook={webhook}
              isCurrent={cursor.current === webhook.name}
              onChanged={reload}
            />
          ))}
        </ul>
      )}
    </div>
  );
}

function WebhookItem({
  webhook,
  isCurrent,
  onChanged,
}: {
  webhook: Webhook;
  isCurrent: boolean;
  onChanged: () => void;
}): ReactNode {
  const calls = useCalls();
  const { tenantId } = useSession();
  const { name, sourceName, authType, eventKeyExpression, scopeExpression, lastError, lastErrorAt } = webhook;
  const address = `${location.origin}/api/v1/stable/tenants/${tenantId}/webhooks/${encodeURIComponent(name)}`;
  return (
    <li id={`row-${name}`} className={`card stack${isCurrent ? ' current' : ''}`}>
      <header className="row spread wrap">
        <h2>{name}</h2>
        <ActionButton
          needs="admin"
          className="small"
          label={`Delete the webhook ${name}`}
          question={{
            title: `Delete the webhook ${name}?`,
            text: 'Who posts to it is refused from then on. Its secrets cannot be read again.',
            action: 'Delete',
            danger: true,
          }}
          onAction={async () => {
            await calls.rest('DELETE /api/v1/stable/tenants/:tenant/webhooks/:webhook', { parts: { webhook: name } });
            onChanged();
            return `${name} is deleted.`;
          }}
        >
          Delete
        </ActionButton>
      </header>
      <dl className="facts">
        <div>
          <dt>Source</dt>
          <dd>{sourceName.toLowerCase()}</dd>
        </div>
        <div>
          <dt>Checked by</dt>
          <dd>{authType.toLowerCase().replaceAll('_', ' ')}</dd>
        </div>
        <div>
          <dt>Event key</dt>
          <dd className="mono">{eventKeyExpression}</dd>
        </div>
        {scopeExpression === undefined || scopeExpression === '' ? null : (
          <div>
            <dt>Scope</dt>
            <dd className="mono">{scopeExpression}</dd>
          </div>
        )}
        <div>
          <dt>Made</dt>
          <dd>
            <Ago at={webhook.metadata.createdAt} />
          </dd>
        </div>
      </dl>
      <p className="small">
        <span className="mono break">{address}</span> <CopyButton text={address} what="the address" />
      </p>
      {lastError === undefined ? null : (
        <p className="notice bad">
          Last refused: {lastError} (<Ago at={lastErrorAt ?? null} />)
        </p>
      )}
    </li>
  );
}
