import type { DurableEntry, WaitItem } from '../../../proto/gen/rest/answers.ts';
import { knownId } from '../../edge/parse/id.ts';
import { largestInteger, wholeNumber } from '../../edge/parse/number.ts';
import type { Checked } from '../../model/checked.ts';
import { EntryKind, type DurableCondition } from '../../model/durable/durable.ts';
import { readDurableLog, type LogEntry } from '../../monitor/durable/durable-log-reads.ts';
import { branchTask } from '../../shard/prepare/branch-task.ts';
import { isoMs, isoUs } from '../message-fields.ts';
import type { RestDeps } from '../deps.ts';
import type { Router } from '../gated-router.ts';
import { idMember, objectBody, pageQuery } from '../request-values.ts';
import { knownTask } from '../runs/read-run.ts';

const wireKinds = {
  [EntryKind.Wait]: 'WAIT_FOR',
  [EntryKind.Child]: 'RUN',
  [EntryKind.Memo]: 'MEMO',
  [EntryKind.Signal]: 'WAIT_FOR',
} as const;

/** Durable tasks: their logs, waking and branching them. */
export function registerDurableRoutes(router: Router, deps: RestDeps): void {
  router.post('/api/v1/stable/tasks/:task/restore', async (context) => {
    const caller = context.get('caller');
    const { tenantId } = caller;
    const taskId = knownId(context.req.param('task'), 'UNKNOWN_RUN');
    caller.note(taskId);
    await knownTask(deps, tenantId, taskId);
    return context.json(await deps.owner.submit({ kind: 'durableRestore', tenantId, taskId }));
  });
  router.post('/api/v1/stable/tenants/:tenant/durable-tasks/branch', async (context) => {
    const caller = context.get('caller');
    const { tenantId } = caller;
    const body = await objectBody(context.req);
    const taskId = idMember(body['taskExternalId'], 'taskExternalId');
    caller.note(taskId);
    await knownTask(deps, tenantId, taskId);
    const made = await branchTask(deps.owner, {
      tenantId,
      taskId,
      branch: place('branchId', body['branchId'] ?? 0, 0),
      node: place('nodeId', body['nodeId'], 1),
    });
    return context.json({ taskExternalId: taskId, nodeId: made.node, branchId: made.branch });
  });
  router.get('/api/v1/stable/tenants/:tenant/durable-tasks/:task', async (context) => {
    const { tenantId } = context.get('caller');
    const { task } = await knownTask(deps, tenantId, context.req.param('task'));
    const page = pageQuery(context.req, { fallback: 1000, most: 10_000 });
    const entries = await readDurableLog(deps.pool, { tenantId, taskId: task.id, ...page, outputChars: 0 });
    return context.json(
      entries.filter((entry) => entry.kind !== EntryKind.Branch).map((entry) => entryMessage(entry, task.name)),
    );
  });
}

/** @throws HatchetError INVALID_ARGUMENT */
function place(name: string, value: unknown, least: number): Checked<number> {
  return wholeNumber(typeof value === 'number' ? value : Number.NaN, name, { min: least, max: largestInteger });
}

function entryMessage(entry: LogEntry, taskName: string): DurableEntry {
  const { asked } = entry;
  return {
    nodeId: entry.node,
    branchId: entry.branch,
    kind: entry.kind === EntryKind.Branch ? 'WAIT_FOR' : wireKinds[entry.kind],
    waitData:
      asked.kind === 'wait' || asked.kind === 'signal'
        ? waitItems(asked.conditions)
        : asked.kind === 'child'
          ? [{ kind: 'CHILD_WORKFLOW', workflowName: asked.workflow }]
          : undefined,
    isSatisfied: entry.satisfiedUs !== null,
    satisfiedAt: isoUs(entry.satisfiedUs),
    insertedAt: isoMs(entry.askedUs / 1000),
    userMessage: asked.kind === 'wait' ? (asked.label ?? undefined) : undefined,
    taskExternalId: entry.taskId,
    taskDisplayName: taskName,
  };
}

/** One item a group: alternatives stand under `or`. */
function waitItems(conditions: readonly DurableCondition[]): WaitItem[] {
  const groups = new Map<number, DurableCondition[]>();
  for (const condition of conditions) groups.set(condition.group, [...(groups.get(condition.group) ?? []), condition]);
  return [...groups.values()].map((group) => {
    const items = group.map((condition): WaitItem =>
      condition.kind === 'sleep'
        ? { kind: 'SLEEP', sleepDurationMs: condition.ms }
        : { kind: 'USER_EVENT', eventKey: condition.eventKey },
    );
    const [only] = items;
    return items.length === 1 && only !== undefined ? only : { or: items };
  });
}
