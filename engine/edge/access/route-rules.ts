import { methodRules } from './method-rules.ts';
import { administers, open, operates, reads, starts, type CallRule } from './rule.ts';

/** What only those may know who may change it. */
const readsAsAdmin: CallRule = { needs: 'admin', kind: 'read' };
/** Of what a webhook receives its own credentials decide; the receiver checks them itself. */
const receives: CallRule = { needs: 'anyone', kind: 'start' };

/** The monitoring service over HTTP: each method has the rule that it has by gRPC. What workers report comes by gRPC alone. */
const monitorRoutes = {
  'POST /api/v1/monitor/ListRuns': methodRules['/hatchet.monitor.v1.MonitorService/ListRuns'],
  'POST /api/v1/monitor/GetRun': methodRules['/hatchet.monitor.v1.MonitorService/GetRun'],
  'POST /api/v1/monitor/ExportRuns': methodRules['/hatchet.monitor.v1.MonitorService/ExportRuns'],
  'POST /api/v1/monitor/ListRunEvents': methodRules['/hatchet.monitor.v1.MonitorService/ListRunEvents'],
  'POST /api/v1/monitor/StreamRunEvents': methodRules['/hatchet.monitor.v1.MonitorService/StreamRunEvents'],
  'POST /api/v1/monitor/ListLogs': methodRules['/hatchet.monitor.v1.MonitorService/ListLogs'],
  'POST /api/v1/monitor/StreamLogs': methodRules['/hatchet.monitor.v1.MonitorService/StreamLogs'],
  'POST /api/v1/monitor/ListWorkflows': methodRules['/hatchet.monitor.v1.MonitorService/ListWorkflows'],
  'POST /api/v1/monitor/GetWorkflow': methodRules['/hatchet.monitor.v1.MonitorService/GetWorkflow'],
  'POST /api/v1/monitor/ListWorkers': methodRules['/hatchet.monitor.v1.MonitorService/ListWorkers'],
  'POST /api/v1/monitor/ListQueues': methodRules['/hatchet.monitor.v1.MonitorService/ListQueues'],
  'POST /api/v1/monitor/StreamQueues': methodRules['/hatchet.monitor.v1.MonitorService/StreamQueues'],
  'POST /api/v1/monitor/ListSchedules': methodRules['/hatchet.monitor.v1.MonitorService/ListSchedules'],
  'POST /api/v1/monitor/StreamSchedules': methodRules['/hatchet.monitor.v1.MonitorService/StreamSchedules'],
  'POST /api/v1/monitor/StreamOverview': methodRules['/hatchet.monitor.v1.MonitorService/StreamOverview'],
  'POST /api/v1/monitor/GetDurableLog': methodRules['/hatchet.monitor.v1.MonitorService/GetDurableLog'],
  'POST /api/v1/monitor/StreamDurableLog': methodRules['/hatchet.monitor.v1.MonitorService/StreamDurableLog'],
  'POST /api/v1/monitor/SkipSleep': methodRules['/hatchet.monitor.v1.MonitorService/SkipSleep'],
  'POST /api/v1/monitor/BranchTask': methodRules['/hatchet.monitor.v1.MonitorService/BranchTask'],
  'POST /api/v1/monitor/RestoreTask': methodRules['/hatchet.monitor.v1.MonitorService/RestoreTask'],
} as const satisfies Record<string, CallRule>;

/** The name of a method of the monitoring service that is served over HTTP too. */
export type MonitorMethod = keyof typeof monitorRoutes extends `POST /api/v1/monitor/${infer Name}` ? Name : never;

/**
 * Every REST route and who may call it, in the contract's paths. A route that is not here cannot be registered: its path
 * is of another type.
 */
export const routeRules = {
  'GET /api/live': open,
  'GET /api/ready': open,
  'GET /api/v1/version': open,
  'GET /api/v1/meta': open,
  'GET /api/v1/openapi.json': open,
  'GET /api/v1/docs': open,
  'GET /api/v1/tenants/:tenant': reads,

  'GET /api/v1/stable/workflow-runs/:run': reads,
  'GET /api/v1/stable/workflow-runs/:run/status': reads,
  'GET /api/v1/stable/workflow-runs/:run/task-events': reads,
  'GET /api/v1/stable/workflow-runs/:run/task-timings': reads,
  'GET /api/v1/stable/dags/tasks': reads,
  'GET /api/v1/tenants/:tenant/workflows/runs': reads,
  'GET /api/v1/tenants/:tenant/workflow-runs/:run': reads,
  'GET /api/v1/tenants/:tenant/workflow-runs/:run/shape': reads,
  'GET /api/v1/stable/tenants/:tenant/workflow-runs': reads,
  'GET /api/v1/stable/tenants/:tenant/workflow-runs/external-ids': reads,
  'GET /api/v1/stable/tenants/:tenant/workflow-runs/display-names': reads,
  'POST /api/v1/stable/tenants/:tenant/workflow-runs/trigger': starts,

  'GET /api/v1/stable/tasks/:task': reads,
  'GET /api/v1/stable/tasks/:task/task-events': reads,
  'GET /api/v1/stable/tasks/:task/logs': reads,
  'POST /api/v1/stable/tasks/:task/restore': operates,
  'POST /api/v1/stable/tenants/:tenant/tasks/cancel': operates,
  'POST /api/v1/stable/tenants/:tenant/tasks/replay': operates,
  'POST /api/v1/stable/tenants/:tenant/durable-tasks/branch': operates,
  'GET /api/v1/stable/tenants/:tenant/durable-tasks/:task': reads,

  'GET /api/v1/tenants/:tenant/worker': reads,
  'GET /api/v1/workers/:worker': reads,
  // A worker that stops pauses itself, so that it is given nothing while its tasks end.
  'PATCH /api/v1/workers/:worker': operates,

  'GET /api/v1/tenants/:tenant/workflows': reads,
  'GET /api/v1/workflows/:workflow': reads,
  'PATCH /api/v1/workflows/:workflow': administers,
  'DELETE /api/v1/workflows/:workflow': administers,
  'GET /api/v1/workflows/:workflow/versions': reads,
  'GET /api/v1/workflows/:workflow/metrics': reads,
  'GET /api/v1/tenants/:tenant/step-run-queue-metrics': reads,
  'GET /api/v1/tenants/:tenant/queue-metrics': reads,

  'GET /api/v1/stable/tenants/:tenant/events': reads,
  'GET /api/v1/stable/tenants/:tenant/events/keys': reads,
  'GET /api/v1/stable/tenants/:tenant/events/:event': reads,
  'POST /api/v1/tenants/:tenant/events': starts,
  'POST /api/v1/tenants/:tenant/events/bulk': starts,

  'GET /api/v1/stable/tenants/:tenant/filters': reads,
  'POST /api/v1/stable/tenants/:tenant/filters': administers,
  'GET /api/v1/stable/tenants/:tenant/filters/:filter': reads,
  'PATCH /api/v1/stable/tenants/:tenant/filters/:filter': administers,
  'DELETE /api/v1/stable/tenants/:tenant/filters/:filter': administers,

  'GET /api/v1/tenants/:tenant/rate-limits': reads,
  'DELETE /api/v1/tenants/:tenant/rate-limits': administers,

  'GET /api/v1/stable/tenants/:tenant/task-metrics': reads,
  'GET /api/v1/stable/tenants/:tenant/task-point-metrics': reads,
  'GET /api/v1/stable/tenants/:tenant/log-point-metrics': reads,
  'GET /api/v1/stable/tenants/:tenant/logs': reads,
  'GET /api/v1/stable/tenants/:tenant/traces': reads,
  'GET /api/v1/tenants/:tenant/task-stats': reads,
  'GET /api/v1/tenants/:tenant/prometheus-metrics': reads,
  'POST /api/v1/stable/tenants/:tenant/cel/debug': reads,

  'GET /api/v1/tenants/:tenant/workflows/crons': reads,
  'POST /api/v1/tenants/:tenant/workflows/:workflow/crons': administers,
  'GET /api/v1/tenants/:tenant/workflows/crons/:cron': reads,
  'POST /api/v1/tenants/:tenant/workflows/crons/:cron': starts,
  'PATCH /api/v1/tenants/:tenant/workflows/crons/:cron': administers,
  'DELETE /api/v1/tenants/:tenant/workflows/crons/:cron': administers,

  'GET /api/v1/tenants/:tenant/workflows/scheduled': reads,
  'POST /api/v1/tenants/:tenant/workflows/:workflow/scheduled': starts,
  'POST /api/v1/tenants/:tenant/workflows/scheduled/bulk-delete': starts,
  'POST /api/v1/tenants/:tenant/workflows/scheduled/bulk-update': starts,
  'GET /api/v1/tenants/:tenant/workflows/scheduled/:schedule': reads,
  'POST /api/v1/tenants/:tenant/workflows/scheduled/:schedule': starts,
  'PATCH /api/v1/tenants/:tenant/workflows/scheduled/:schedule': starts,
  'DELETE /api/v1/tenants/:tenant/workflows/scheduled/:schedule': starts,

  'GET /api/v1/stable/tenants/:tenant/webhooks': reads,
  'POST /api/v1/stable/tenants/:tenant/webhooks': administers,
  'GET /api/v1/stable/tenants/:tenant/webhooks/:webhook': reads,
  'PATCH /api/v1/stable/tenants/:tenant/webhooks/:webhook': administers,
  'DELETE /api/v1/stable/tenants/:tenant/webhooks/:webhook': administers,
  'POST /api/v1/stable/tenants/:tenant/webhooks/:webhook': receives,

  'GET /api/v1/tenants/:tenant/audit': readsAsAdmin,
  'GET /api/v1/tenants/:tenant/api-tokens': readsAsAdmin,
  'POST /api/v1/tenants/:tenant/api-tokens': administers,
  'POST /api/v1/api-tokens/:token': administers,
  'GET /api/v1/tenants/:tenant/members': reads,

  ...monitorRoutes,

  // A link is as good as the token, and so is the line in the audit log that says who made it.
  'POST /api/v1/page/links': { needs: 'read', kind: 'change' },
  // The code of the link is what counts.
  'POST /api/v1/page/sign-in': open,
  'GET /api/v1/page/me': reads,
} as const satisfies Record<string, CallRule>;

export type Route = keyof typeof routeRules;
export type RouteMethod = Route extends `${infer Method} ${string}` ? Method : never;
/** The paths that a method is served on. */
export type PathOf<Method extends RouteMethod> = Route extends infer Each
  ? Each extends `${Method} ${infer Path}`
    ? Path
    : never
  : never;
