import type { Hono } from 'hono';
import { HatchetError } from '../errors.ts';
import { EntryKind, type DurableCondition } from '../model/durable.ts';
import { parseUuid } from '../model/uuid.ts';
import { readDurableLog, type LogEntry } from '../monitor/durable-log.ts';
import { branchTask } from '../shard/branch-task.ts';
import { isoUs } from './contract.ts';
import type { RestDeps, RestEnv } from './deps.ts';
import { integerQuery, objectBody } from './request-values.ts';
import { knownTask } from './run-reads.ts';

const wireKinds = { [EntryKind.Wait]: 'WAIT_FOR', [EntryKind.Child]: 'RUN', [EntryKind.Memo]: 'MEMO', [EntryKind.Signal]: 'WAIT_FOR' } as const;

/** Durable tasks: their logs, waking and branching them. */
export function registerDurableRoutes(app: Hono<RestEnv>, deps: RestDeps): void {
  app.post('/api/v1/stable/tasks/:task/restore', async (context) => {
    const { tenantId } = context.get('caller');
    const { task } = await knownTask(deps, tenantId, context.req.param('task'));
    return context.json(await deps.owner.submit(tenantId, { kind: 'durableRestore', tenantId, taskId: task.id }));
  });
  app.post('/api/v1/stable/tenants/:tenant/durable-tasks/branch', async (context) => {
    const { tenantId } = context.get('caller');
    const body = await objectBody(context.req);
    const taskId = typeof body['taskExternalId'] === 'string' ? parseUuid(body['taskExternalId']) : undefined;
    if (taskId === undefined) throw new HatchetError('INVALID_ARGUMENT', 'taskExternalId is no id', { remedy: 'Send the id of a durable task.' });
    const { task } = await knownTask(deps, tenantId, taskId);
    const made = await branchTask(deps.owner, { tenantId, taskId: task.id, branch: place('branchId', body['branchId'] ?? 0, 0), node: place('nodeId', body['nodeId'], 1) });
    return context.json({ taskExternalId: task.id, nodeId: made.node, branchId: made.branch });
  });
  app.get('/api/v1/stable/tenants/:tenant/durable-tasks/:task', async (context) => {
    const { tenantId } = context.get('caller');
    const { task } = await knownTask(deps, tenantId, context.req.param('task'));
    const page = { offset: integerQuery(context.req, 'offset', { fallback: 0, least: 0, most: 1_000_000 }), limit: integerQuery(context.req, 'limit', { fallback: 1000, least: 1, most: 10_000 }) };
    const entries = await readDurableLog(deps.pool, { tenantId, taskId: task.id, ...page, outputChars: 0 });
    return context.json(entries.filter((entry) => entry.kind !== EntryKind.Branch).map((entry) => entryMessage(entry, task.name)));
  });
}

/** @throws HatchetError INVALID_ARGUMENT */
function place(name: string, value: unknown, least: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > 2 ** 31 - 1) throw new HatchetError('INVALID_ARGUMENT', `${name} is ${JSON.stringify(value)}`, { remedy: `Send a whole number from ${least} on.` });
  return value;
}

function entryMessage(entry: LogEntry, taskName: string): Record<string, unknown> {
  const { asked } = entry;
  return {
    nodeId: entry.node,
    branchId: entry.branch,
    kind: entry.kind === EntryKind.Branch ? 'WAIT_FOR' : wireKinds[entry.kind],
    waitData: asked.kind === 'wait' || asked.kind === 'signal' ? waitItems(asked.conditions) : asked.kind === 'child' ? [{ kind: 'CHILD_WORKFLOW', workflowName: asked.workflow }] : undefined,
    isSatisfied: entry.satisfiedUs !== null,
    satisfiedAt: entry.satisfiedUs === null ? undefined : isoUs(entry.satisfiedUs),
    insertedAt: isoUs(entry.askedUs),
    userMessage: asked.kind === 'wait' ? (asked.label ?? undefined) : undefined,
    taskExternalId: entry.taskId,
    taskDisplayName: taskName,
  };
}

/** One item a group: alternatives stand under `or`. */
function waitItems(conditions: readonly DurableCondition[]): unknown[] {
  const groups = new Map<number, DurableCondition[]>();
  for (const condition of conditions) groups.set(condition.group, [...(groups.get(condition.group) ?? []), condition]);
  return [...groups.values()].map((group) => {
    const items = group.map((condition) => (condition.kind === 'sleep' ? { kind: 'SLEEP', sleepDurationMs: condition.ms } : { kind: 'USER_EVENT', eventKey: condition.eventKey }));
    return items.length === 1 ? items[0] : { or: items };
  });
}
