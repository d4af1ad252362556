import type { Hono } from 'hono';
import { HatchetError } from '../errors.ts';
import { maxPageBytes } from '../model/limits.ts';
import { parseUuid } from '../model/uuid.ts';
import { readWithin } from '../monitor/answers-in-flight.ts';
import { logLevels } from '../monitor/log-reads.ts';
import { replayByFilter } from '../monitor/replay-selection.ts';
import { cancelByFilter } from '../monitor/run-selection.ts';
import { replayIds } from '../shard/replay-ids.ts';
import { readTaskLog } from '../monitor/task-logs.ts';
import { answer } from './answer.ts';
import { isoMs, pagination, storedJson } from './contract.ts';
import type { RestDeps, RestEnv } from './deps.ts';
import { dateQuery, integerQuery, isObject, listQuery, objectBody, parseDate, stringList } from './request-values.ts';
import { eventMessages, oneTaskMessage } from './run-messages.ts';
import { childCounts, heldTask, knownTask, runEvents } from './run-reads.ts';

const longestRead = 10_000;

/** Tasks: reading, logs, cancelling, replaying. */
export function registerTaskRoutes(app: Hono<RestEnv>, deps: RestDeps): void {
  app.get('/api/v1/stable/tasks/:task', async (context) => {
    const { tenantId } = context.get('caller');
    const held = await heldTask(deps, tenantId, context.req.param('task'), async (run, task) => {
      const children = await childCounts(deps, tenantId, [run]);
      return oneTaskMessage(run, task, { children: children.get(task.id) ?? 0 });
    });
    return answer(context, held);
  });
  app.get('/api/v1/stable/tasks/:task/task-events', async (context) => {
    const page = { offset: integerQuery(context.req, 'offset', { fallback: 0, least: 0, most: 1_000_000 }), limit: integerQuery(context.req, 'limit', { fallback: 1000, least: 1, most: longestRead }) };
    const { run, task } = await knownTask(deps, context.get('caller').tenantId, context.req.param('task'));
    const events = eventMessages(await runEvents(deps, run)).filter((event) => event.taskId === task.id);
    const end = page.offset + page.limit;
    return context.json({ pagination: pagination({ ...page, more: events.length > end }), rows: events.slice(page.offset, end) });
  });
  app.get('/api/v1/stable/tasks/:task/logs', async (context) => {
    const { tenantId } = context.get('caller');
    const { task } = await knownTask(deps, tenantId, context.req.param('task'));
    const limit = integerQuery(context.req, 'limit', { fallback: 1000, least: 1, most: longestRead });
    const attempt = integerQuery(context.req, 'attempt', { fallback: 0, least: 0, most: 1_000_000 });
    const query = {
      tenantId,
      taskId: task.id,
      since: dateQuery(context.req, 'since'),
      until: dateQuery(context.req, 'until'),
      attempt: attempt === 0 ? null : attempt - 1,
      levels: listQuery(context.req, 'levels').map(levelNumber),
      search: context.req.query('search') ?? null,
      newestFirst: context.req.query('order_by_direction')?.toUpperCase() === 'DESC',
      limit: limit + 1,
    };
    const page = await readWithin(maxPageBytes, async (bytes) => {
      const { lines, leftOut, brought } = await readTaskLog(deps.pool, { ...query, bytes });
      const rows = lines.slice(0, limit).map((line) => ({
        createdAt: isoMs(line.atMs),
        message: line.message,
        metadata: metadataOf(line.metadata),
        taskExternalId: task.id,
        taskDisplayName: task.name,
        retryCount: line.attempt,
        attempt: line.attempt + 1,
        level: line.level,
      }));
      return { value: { pagination: pagination({ offset: 0, limit, more: lines.length > limit || leftOut > 0 }), rows }, brought, leftOut };
    });
    return answer(context, page);
  });
  app.post('/api/v1/stable/tenants/:tenant/tasks/cancel', async (context) => {
    const { tenantId } = context.get('caller');
    const body = await objectBody(context.req);
    const ids = stringList('externalIds', body['externalIds'])
      .map((id) => parseUuid(id))
      .filter((id) => id !== undefined);
    const cancelled = ids.length === 0 ? [] : [...(await deps.owner.submit(tenantId, { kind: 'cancel', tenantId, ids })).cancelled];
    if (body['filter'] !== undefined && body['filter'] !== null) cancelled.push(...(await cancelByFilter(deps, tenantId, readSelection(body['filter']))));
    return context.json({ ids: cancelled });
  });
  app.post('/api/v1/stable/tenants/:tenant/tasks/replay', async (context) => {
    const { tenantId } = context.get('caller');
    const body = await objectBody(context.req);
    const ids = stringList('externalIds', body['externalIds'])
      .map((id) => parseUuid(id))
      .filter((id) => id !== undefined);
    const replay = (found: readonly string[]): Promise<string[]> => replayIds(deps.owner, tenantId, found);
    const replayed = ids.length === 0 ? [] : await replay(ids);
    if (body['filter'] !== undefined && body['filter'] !== null) replayed.push(...(await replayByFilter({ pool: deps.pool, replay }, tenantId, readSelection(body['filter']))));
    return context.json({ ids: replayed });
  });
}

/** @throws HatchetError INVALID_ARGUMENT */
function readSelection(filter: unknown): Parameters<typeof cancelByFilter>[2] {
  if (!isObject(filter)) throw new HatchetError('INVALID_ARGUMENT', 'filter is not an object', { remedy: 'Send an object, or leave it out.' });
  const { since, until } = filter;
  // A filter without its beginning would cancel everything by mistake.
  if (typeof since !== 'string') throw new HatchetError('INVALID_ARGUMENT', 'filter.since is missing', { remedy: 'Say since when, as a time such as 2026-01-31T12:00:00Z.' });
  return {
    since: parseDate('filter.since', since),
    until: typeof until === 'string' ? parseDate('filter.until', until) : undefined,
    statuses: stringList('filter.statuses', filter['statuses']),
    workflowIds: stringList('filter.workflowIds', filter['workflowIds']),
    additionalMetadata: stringList('filter.additionalMetadata', filter['additionalMetadata']),
  };
}

function levelNumber(name: string): number {
  const level = logLevels.findIndex((known) => known === name.toUpperCase());
  if (level < 0) throw new HatchetError('INVALID_ARGUMENT', `${JSON.stringify(name)} is not a log level`, { remedy: `Use ${logLevels.join(', ')}.` });
  return level;
}

/** A worker's metadata is kept as it came; what is no JSON would spoil the answer. */
function metadataOf(text: string): unknown {
  try {
    JSON.parse(text);
  } catch {
    return {};
  }
  return storedJson(text);
}
