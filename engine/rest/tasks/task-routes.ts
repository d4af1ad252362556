import { ids } from '../../edge/parse/id.ts';
import { invalid } from '../../edge/parse/invalid.ts';
import { selection } from '../../edge/parse/selection.ts';
import { maxPageBytes } from '../../model/limits.ts';
import { readWithin } from '../../monitor/budget/answers-in-flight.ts';
import { replayByFilter } from '../../bulk/replay-selection.ts';
import { cancelByFilter } from '../../bulk/cancel-selection.ts';
import { cancelIds } from '../../bulk/cancel-ids.ts';
import { replayIds } from '../../bulk/replay-ids.ts';
import { readTaskLog } from '../../monitor/lines/task-logs.ts';
import { answer } from '../answer-in-pieces.ts';
import { attemptQuery, isNewestFirst, levelsQuery } from '../logs/log-filter.ts';
import { logMessage } from '../logs/log-message.ts';
import { pagination } from '../message-fields.ts';
import type { RestDeps } from '../deps.ts';
import type { Router } from '../gated-router.ts';
import { isObject } from '../../model/payload/is-object.ts';
import {
  boundText,
  dateQuery,
  integerQuery,
  objectBody,
  pageQuery,
  stringList,
  textMember,
  textQuery,
} from '../request-values.ts';
import { eventMessages, oneTaskMessage } from '../runs/run-messages.ts';
import { childCounts, heldTask, knownTask, runEvents } from '../runs/read-run.ts';

const longestRead = 10_000;

/** Tasks: reading, logs, cancelling, replaying. */
export function registerTaskRoutes(router: Router, deps: RestDeps): void {
  router.get('/api/v1/stable/tasks/:task', async (context) => {
    const { tenantId } = context.get('caller');
    const held = await heldTask(deps, tenantId, context.req.param('task'), async (run, task) => {
      const children = await childCounts(deps, tenantId, [run]);
      return oneTaskMessage(run, task, { children: children.get(task.id) ?? 0 });
    });
    return answer(context, held);
  });
  router.get('/api/v1/stable/tasks/:task/task-events', async (context) => {
    const page = pageQuery(context.req, { fallback: 1000, most: longestRead });
    const { run, task } = await knownTask(deps, context.get('caller').tenantId, context.req.param('task'));
    const events = eventMessages(run, await runEvents(deps, run)).filter((event) => event.taskId === task.id);
    const end = page.offset + page.limit;
    return context.json({
      pagination: pagination({ ...page, more: events.length > end }),
      rows: events.slice(page.offset, end),
    });
  });
  router.get('/api/v1/stable/tasks/:task/logs', async (context) => {
    const { tenantId } = context.get('caller');
    const { task } = await knownTask(deps, tenantId, context.req.param('task'));
    const limit = integerQuery(context.req, 'limit', { fallback: 1000, least: 1, most: longestRead });
    const query = {
      tenantId,
      taskId: task.id,
      since: dateQuery(context.req, 'since'),
      until: dateQuery(context.req, 'until'),
      attempt: attemptQuery(context.req),
      levels: levelsQuery(context.req),
      search: textQuery(context.req, 'search'),
      newestFirst: isNewestFirst(context.req),
      limit: limit + 1,
    };
    const page = await readWithin(maxPageBytes, async (bytes) => {
      const { lines, leftOut, brought } = await readTaskLog(deps.pool, { ...query, bytes });
      const rows = lines.slice(0, limit).map((line) => logMessage(line, task));
      return {
        value: { pagination: pagination({ offset: 0, limit, more: lines.length > limit || leftOut > 0 }), rows },
        brought,
        leftOut,
      };
    });
    return answer(context, page);
  });
  router.post('/api/v1/stable/tenants/:tenant/tasks/cancel', async (context) => {
    const caller = context.get('caller');
    const { tenantId } = caller;
    const body = await objectBody(context.req);
    const filter = optionalSelection(body['filter']);
    const cancelled = await cancelIds(deps.owner, tenantId, ids(stringList('externalIds', body['externalIds'])));
    if (filter !== undefined) cancelled.push(...(await cancelByFilter(deps, tenantId, filter)));
    caller.note(...cancelled);
    return context.json({ ids: cancelled });
  });
  router.post('/api/v1/stable/tenants/:tenant/tasks/replay', async (context) => {
    const caller = context.get('caller');
    const { tenantId } = caller;
    const body = await objectBody(context.req);
    const filter = optionalSelection(body['filter']);
    const replay = (found: readonly string[]): Promise<string[]> => replayIds(deps.owner, tenantId, found);
    const replayed = await replay(ids(stringList('externalIds', body['externalIds'])));
    if (filter !== undefined) replayed.push(...(await replayByFilter({ pool: deps.pool, replay }, tenantId, filter)));
    caller.note(...replayed);
    return context.json({ ids: replayed });
  });
}

/** @throws HatchetError INVALID_ARGUMENT */
function optionalSelection(filter: unknown): ReturnType<typeof selection> | undefined {
  if (filter === undefined || filter === null) return undefined;
  if (!isObject(filter)) throw invalid('filter is not an object', 'Send an object, or leave it out.');
  const { since, until } = filter;
  // A filter without its beginning would cancel everything by mistake.
  if (typeof since !== 'string')
    throw invalid('filter.since is missing', 'Say since when, as a time such as 2026-01-31T12:00:00Z.');
  return selection({
    since: boundText(since, 'filter.since'),
    until:
      until === undefined || until === null ? undefined : boundText(textMember(until, 'filter.until'), 'filter.until'),
    statuses: stringList('filter.statuses', filter['statuses'], 100),
    workflowIds: stringList('filter.workflowIds', filter['workflowIds'], 1000),
    additionalMetadata: stringList('filter.additionalMetadata', filter['additionalMetadata'], 1000),
  });
}
