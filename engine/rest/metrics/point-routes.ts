import type { TaskPoints } from '../../../proto/gen/rest/answers.ts';
import { countAttemptPoints } from '../../monitor/points/attempt-points.ts';
import type { RestDeps } from '../deps.ts';
import type { Router } from '../gated-router.ts';
import { allPoints, pointWindow } from './point-window.ts';

const none = { completed: 0, failed: 0 };

/** Attempts over time, counted by points of equal width. */
export function registerPointRoutes(router: Router, { pool, owner }: RestDeps): void {
  router.get('/api/v1/stable/tenants/:tenant/task-point-metrics', async (context) => {
    const names = { from: 'createdAfter', until: 'finishedBefore' };
    const window = pointWindow(context.req, owner.nowUs / 1000, names);
    const counted = await countAttemptPoints(pool, context.get('caller').tenantId, window);
    return context.json({
      results: allPoints(window, counted, none).map(({ time, completed, failed }) => ({
        time,
        SUCCEEDED: completed,
        FAILED: failed,
      })),
    } satisfies TaskPoints);
  });
}
