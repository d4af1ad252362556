import { expect, it } from 'vitest';
import { methodRules } from '../../../engine/edge/access/method-rules.ts';
import { routeRules } from '../../../engine/edge/access/route-rules.ts';

it('every method of the monitoring service is served over HTTP by its own rule, but for what workers report', () => {
  const service = '/hatchet.monitor.v1.MonitorService/';
  const byMethod = Object.entries(methodRules).flatMap(([path, rule]) =>
    path.startsWith(service) && rule.kind !== 'report'
      ? [[`POST /api/v1/monitor/${path.slice(service.length)}`, rule] as const]
      : [],
  );
  const byRoute = Object.entries(routeRules).filter(([route]) => route.includes('/api/v1/monitor/'));
  expect(byMethod.length).toBeGreaterThan(15);
  expect(Object.fromEntries(byRoute)).toEqual(Object.fromEntries(byMethod));
});
