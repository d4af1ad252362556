import type { ClientBase } from 'pg';
import { CelVariables } from '../cel/cel-variables.ts';
import type { Clock } from '../base/clock.ts';
import type { DurableEvent } from '../model/durable.ts';
import type { DurableAskCommand } from '../plan/commands/durable-command.ts';
import { uuidFloor } from '../model/uuid-floor.ts';
import type { PushedEvent } from '../plan/commands/command.ts';
import { expressionsOf, type Job } from './job.ts';

/** Events that one condition looks through. */
const most = 1000;

const readEvents = {
  name: 'durable_look_back',
  text: `SELECT id, payload FROM event WHERE tenant_id = $1 AND scope = $2 AND key = $3 AND id >= $4 ORDER BY id LIMIT $5`,
};

interface Sources {
  client: ClientBase;
  clock: Clock;
}

/** Events that were pushed before a wait was asked for, where it looks back: the oldest that its expression lets through. */
export async function lookBack(
  sources: Sources,
  { job, command }: { job: Job; command: DurableAskCommand },
  jobs: readonly Job[],
): Promise<void> {
  if (command.ask.kind !== 'wait') return;
  // Those that the very batch stores before it are not in the table yet.
  const before = jobs
    .slice(0, jobs.indexOf(job))
    .flatMap((earlier) =>
      earlier.command.kind === 'pushEvent' && earlier.command.tenantId === command.tenantId
        ? earlier.command.events
        : [],
    );
  for (const [index, condition] of command.ask.asked.conditions.entries()) {
    if (condition.kind !== 'event' || condition.sinceMs === null || condition.scope === null) continue;
    const payload = await oldest(
      sources,
      { job, tenantId: command.tenantId },
      {
        condition: {
          ...condition,
          sinceMs: sources.clock.systemMs?.(condition.sinceMs) ?? condition.sinceMs,
          scope: condition.scope,
        },
        before,
      },
    );
    if (payload !== undefined) command.ask.lookedBack.set(index, payload);
  }
}

async function oldest(
  { client }: Pick<Sources, 'client'>,
  { job, tenantId }: { job: Job; tenantId: string },
  {
    condition,
    before,
  }: { condition: DurableEvent & { sinceMs: number; scope: string }; before: readonly PushedEvent[] },
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
