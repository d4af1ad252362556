import type { ClientBase } from 'pg';
import type { CelEvaluator } from '../cel/cel-evaluator.ts';
import type { Clock } from '../clock.ts';
import type { DurableEvent } from '../model/durable.ts';
import type { DurableAskCommand } from '../plan/durable-command.ts';
import { uuidFloor } from '../model/uuid-floor.ts';
import type { PushedEvent } from '../plan/command.ts';
import type { Job } from './job.ts';

/** Events that one condition looks through. */
const most = 1000;

const readEvents = {
  name: 'durable_look_back',
  text: `SELECT payload FROM event WHERE tenant_id = $1 AND scope = $2 AND key = $3 AND id >= $4 ORDER BY id LIMIT $5`,
};

interface Sources {
  client: ClientBase;
  cel: CelEvaluator;
  clock: Clock;
}

/** Events that were pushed before a wait was asked for, where it looks back: the oldest that its expression lets through. */
export async function lookBack(sources: Sources, command: DurableAskCommand, jobs: readonly Job[]): Promise<void> {
  if (command.ask.kind !== 'wait') return;
  // Those that the very batch stores before it are not in the table yet.
  const before = jobs.slice(0, jobs.findIndex((job) => job.command === command)).flatMap((job) => (job.command.kind === 'pushEvent' && job.command.tenantId === command.tenantId ? job.command.events : []));
  for (const [index, condition] of command.ask.asked.conditions.entries()) {
    if (condition.kind !== 'event' || condition.sinceMs === null || condition.scope === null) continue;
    const payload = await oldest(sources, command.tenantId, { condition: { ...condition, sinceMs: sources.clock.systemMs?.(condition.sinceMs) ?? condition.sinceMs, scope: condition.scope }, before });
    if (payload !== undefined) command.ask.lookedBack.set(index, payload);
  }
}

async function oldest({ client, cel }: Pick<Sources, 'client' | 'cel'>, tenantId: string, { condition, before }: { condition: DurableEvent & { sinceMs: number; scope: string }; before: readonly PushedEvent[] }): Promise<string | undefined> {
  const { rows } = await client.query<{ payload: string }>({ ...readEvents, values: [tenantId, condition.scope, condition.eventKey, uuidFloor(condition.sinceMs), condition.expression === '' ? 1 : most] });
  const now = before.filter(({ key, scope }) => key === condition.eventKey && scope === condition.scope);
  for (const { payload } of [...rows, ...now]) {
    if (condition.expression === '') return payload;
    const result = await cel.evaluate(condition.expression, { input: JSON.parse(payload) });
    if (result.ok && result.value === true) return payload;
  }
  return undefined;
}
