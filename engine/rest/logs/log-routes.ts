import type { LogPoints } from '../../../proto/gen/rest/answers.ts';
import { maxPageBytes } from '../../model/limits.ts';
import { readWithin } from '../../monitor/budget/answers-in-flight.ts';
import { readTaskNames } from '../../monitor/lines/task-names.ts';
import { readTenantLog, type LogWindow } from '../../monitor/lines/tenant-logs.ts';
import { countLogPoints } from '../../monitor/points/log-points.ts';
import { answer } from '../answer-in-pieces.ts';
import type { RestDeps } from '../deps.ts';
import type { Router } from '../gated-router.ts';
import { pagination } from '../message-fields.ts';
import { allPoints, boundedWindow, pointWindow } from '../metrics/point-window.ts';
import { dateQuery, integerQuery } from '../request-values.ts';
import { isNewestFirst, logFilter } from './log-filter.ts';
import { logMessage } from './log-message.ts';

const noLines = { DEBUG: 0, INFO: 0, WARN: 0, ERROR: 0 };

/** Log lines of all tasks of a tenant together, and how many there are over time. */
export function registerLogRoutes(router: Router, { pool, owner }: RestDeps): void {
  router.get('/api/v1/stable/tenants/:tenant/logs', async (context) => {
    const { req } = context;
    const { tenantId } = context.get('caller');
    const limit = integerQuery(req, 'limit', { fallback: 50, least: 1, most: 1000 });
    const filter = await logFilter(pool, tenantId, req);
    const window: LogWindow = {
      // Those of some tasks are found by the tasks, whenever they were written.
      fromMs:
        filter.taskIds.length > 0
          ? dateQuery(req, 'since')?.getTime()
          : boundedWindow(req, owner.nowUs / 1000, { from: 'since', until: 'until' }).fromMs,
      // By the clock of whoever wrote them, which may be ahead: none is kept back that is there.
      untilMs: dateQuery(req, 'until')?.getTime(),
    };
    const page = await readWithin(maxPageBytes, async (bytes) => {
      const { lines, brought, leftOut } = await readTenantLog(pool, filter, {
        ...window,
        newestFirst: isNewestFirst(req),
        limit: limit + 1,
        bytes,
      });
      const shown = lines.slice(0, limit);
      const names = await readTaskNames(pool, tenantId, [...new Set(shown.map(({ taskId }) => taskId))]);
      return {
        value: {
          pagination: pagination({ offset: 0, limit, more: lines.length > limit || leftOut > 0 }),
          rows: shown.map((line) => logMessage(line, { id: line.taskId, name: names.get(line.taskId) ?? '' })),
        },
        brought,
        leftOut,
      };
    });
    return answer(context, page);
  });
  router.get('/api/v1/stable/tenants/:tenant/log-point-metrics', async (context) => {
    const window = pointWindow(context.req, owner.nowUs / 1000, { from: 'since', until: 'until' });
    const filter = await logFilter(pool, context.get('caller').tenantId, context.req);
    const counted = await countLogPoints(pool, filter, window);
    return context.json({ results: allPoints(window, counted, noLines) } satisfies LogPoints);
  });
}
