import type { Sql } from '../../postgres/sql-client.ts';
import { CelVariables } from '../../cel/cel-variables.ts';
import type { Clock } from '../../base/clock.ts';
import type { DurableEvent } from '../../model/durable/durable.ts';
import { uuidFloor } from '../../model/ids/uuid-floor.ts';
import type { PushedEvent } from '../../plan/commands/events/push-event.ts';
import { expressionsOf, type Job } from '../job.ts';
import type { Asking } from './command-needs.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** Events that one condition looks through. */
const most = 1000;

export const readEvents = {
  name: 'durable_look_back',
  text: `SELECT id, payload FROM event WHERE tenant_id = $1 AND scope = $2 AND key = $3 AND id >= $4 ORDER BY id LIMIT $5`,
};

interface Sources {
  client: Sql;
  clock: Clock;
}

/** Events that were pushed before a wait was asked for, where it looks back: the oldest that its expression lets through, by the condition's index. */
export async function lookBack(
  sources: Sources,
  asking: readonly Asking[],
): Promise<ReadonlyMap<Asking, ReadonlyMap<number, string>>> {
  const found = new Map<Asking, Map<number, string>>();
  for (const [at, each] of asking.entries()) {
    const { job, needs } = each;
    const { tenantId } = job;
    for (const { index, condition } of needs.looksBack ?? []) {
      if (condition.sinceMs === null || condition.scope === null || tenantId === undefined) continue;
      const payload = await oldest(sources, job, {
        tenantId,
        condition: {
          ...condition,
          sinceMs: sources.clock.systemMs?.(condition.sinceMs) ?? condition.sinceMs,
          scope: condition.scope,
        },
        before: eventsBefore(asking.slice(0, at), tenantId),
      });
      if (payload === undefined) continue;
      const payloads = found.get(each) ?? new Map<number, string>();
      found.set(each, payloads.set(index, payload));
    }
  }
  return found;
}

/** Those that the very transaction stores before the wait are not in the table yet. */
function eventsBefore(earlier: readonly Asking[], tenantId: TenantId): PushedEvent[] {
  return earlier.flatMap(({ job: { command } }) =>
    command.kind === 'pushEvent' && command.tenantId === tenantId ? command.events : [],
  );
}

async function oldest(
  { client }: Pick<Sources, 'client'>,
  job: Job,
  {
    tenantId,
    condition,
    before,
  }: {
    tenantId: TenantId;
    condition: DurableEvent & { sinceMs: number; scope: string };
    before: readonly PushedEvent[];
  },
): Promise<string | undefined> {
  const { rows } = await client.query<{ id: string; payload: string }>({
    ...readEvents,
    values: [
      tenantId,
      condition.scope,
      condition.eventKey,
      uuidFloor(condition.sinceMs),
      condition.expression === '' ? 1 : most,
    ],
  });
  const now = before.filter(({ key, scope }) => key === condition.eventKey && scope === condition.scope);
  const all = [...rows, ...now];
  if (condition.expression === '') return all[0]?.payload;
  // What is not known yet is asked for in one go, up to the first that is known to meet the condition.
  for (const { id, payload } of all) {
    const result = expressionsOf(job).find(id, condition.expression, new CelVariables({ input: payload }));
    if (result?.ok === true && result.value === true) return payload;
  }
  return undefined;
}
