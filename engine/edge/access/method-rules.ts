import type { DispatcherService } from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import type { EventsServiceService } from '../../../proto/gen/hatchet/contract/events.ts';
import type { V1DispatcherService } from '../../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import type { AdminServiceService } from '../../../proto/gen/hatchet/contract/v1/workflows.ts';
import type { WorkflowServiceService } from '../../../proto/gen/hatchet/contract/workflows.ts';
import type { MonitorServiceService } from '../../../proto/gen/hatchet/monitor/v1/monitor.ts';
import type { SessionServiceService } from '../../../proto/gen/hatchet/session/v1/session.ts';
import type { HealthService } from '../../../proto/gen/grpc/health/v1/health.ts';
import type { ServerReflectionService } from '../../../proto/gen/grpc/reflection/v1/reflection.ts';
import type { TraceServiceService } from '../../../proto/gen/opentelemetry/proto/collector/trace/v1/trace_service.ts';
import { administers, listens, open, operates, reads, reports, starts, type CallRule } from './rule.ts';

type PathsOf<Service> = {
  [Name in keyof Service]: Service[Name] extends { path: infer Path } ? Path : never;
}[keyof Service] &
  string;

/** Every gRPC method that is served, as the wire names it. */
export type MethodPath =
  | PathsOf<typeof DispatcherService>
  | PathsOf<typeof EventsServiceService>
  | PathsOf<typeof V1DispatcherService>
  | PathsOf<typeof AdminServiceService>
  | PathsOf<typeof WorkflowServiceService>
  | PathsOf<typeof MonitorServiceService>
  | PathsOf<typeof SessionServiceService>
  | PathsOf<typeof TraceServiceService>
  | PathsOf<typeof HealthService>
  | PathsOf<typeof ServerReflectionService>;

/** Who may call which method. One without a line here does not compile. */
export const methodRules: Readonly<Record<MethodPath, CallRule>> = {
  '/Dispatcher/GetVersion': open,
  '/Dispatcher/Register': { needs: 'work', kind: 'change' },
  '/Dispatcher/Listen': listens,
  '/Dispatcher/ListenV2': listens,
  '/Dispatcher/Heartbeat': reports,
  '/Dispatcher/Unsubscribe': reports,
  '/Dispatcher/UpsertWorkerLabels': reports,
  '/Dispatcher/SendStepActionEvent': reports,
  '/Dispatcher/SendBatchActionEvent': reports,
  '/Dispatcher/SendGroupKeyActionEvent': reports,
  '/Dispatcher/PutOverridesData': reports,
  '/Dispatcher/RefreshTimeout': reports,
  '/Dispatcher/ReleaseSlot': reports,
  '/Dispatcher/RestoreEvictedTask': operates,
  '/Dispatcher/SubscribeToWorkflowEvents': reads,
  '/Dispatcher/SubscribeToWorkflowRuns': reads,

  '/v1.V1Dispatcher/DurableTask': reports,
  '/v1.V1Dispatcher/RegisterDurableEvent': reports,
  '/v1.V1Dispatcher/ListenForDurableEvent': reports,

  '/EventsService/Push': starts,
  '/EventsService/BulkPush': starts,
  '/EventsService/ReplaySingleEvent': starts,
  '/EventsService/PutLog': reports,
  '/EventsService/PutStreamEvent': reports,

  '/WorkflowService/PutWorkflow': operates,
  '/WorkflowService/TriggerWorkflow': starts,
  '/WorkflowService/BulkTriggerWorkflow': starts,
  '/WorkflowService/ScheduleWorkflow': starts,
  '/WorkflowService/PutRateLimit': operates,
  '/WorkflowService/PauseRateLimit': operates,

  '/v1.AdminService/PutWorkflow': operates,
  '/v1.AdminService/TriggerWorkflowRun': starts,
  '/v1.AdminService/GetRunDetails': reads,
  '/v1.AdminService/CancelTasks': operates,
  '/v1.AdminService/ReplayTasks': operates,
  '/v1.AdminService/BranchDurableTask': operates,

  // By programs that start runs, too; never slowed down, as what workers report.
  '/opentelemetry.proto.collector.trace.v1.TraceService/Export': { needs: 'trigger', kind: 'report' },

  '/grpc.health.v1.Health/Check': open,
  '/grpc.health.v1.Health/Watch': open,
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo': reads,

  // What a session holds has the rule of the contract's own call.
  '/hatchet.session.v1.SessionService/Connect': reads,

  '/hatchet.monitor.v1.MonitorService/ListRuns': reads,
  '/hatchet.monitor.v1.MonitorService/GetRun': reads,
  '/hatchet.monitor.v1.MonitorService/ExportRuns': reads,
  '/hatchet.monitor.v1.MonitorService/ListRunEvents': reads,
  '/hatchet.monitor.v1.MonitorService/StreamRunEvents': reads,
  '/hatchet.monitor.v1.MonitorService/ListLogs': reads,
  '/hatchet.monitor.v1.MonitorService/StreamLogs': reads,
  '/hatchet.monitor.v1.MonitorService/PutLogs': reports,
  '/hatchet.monitor.v1.MonitorService/ListWorkflows': reads,
  '/hatchet.monitor.v1.MonitorService/GetWorkflow': reads,
  '/hatchet.monitor.v1.MonitorService/ListWorkers': reads,
  '/hatchet.monitor.v1.MonitorService/ReportProcessEnd': reports,
  '/hatchet.monitor.v1.MonitorService/ListQueues': reads,
  '/hatchet.monitor.v1.MonitorService/StreamQueues': reads,
  '/hatchet.monitor.v1.MonitorService/ListSchedules': reads,
  '/hatchet.monitor.v1.MonitorService/StreamSchedules': reads,
  '/hatchet.monitor.v1.MonitorService/StreamOverview': reads,
  '/hatchet.monitor.v1.MonitorService/GetDurableLog': reads,
  '/hatchet.monitor.v1.MonitorService/StreamDurableLog': reads,
  '/hatchet.monitor.v1.MonitorService/SkipSleep': administers,
  '/hatchet.monitor.v1.MonitorService/BranchTask': operates,
  '/hatchet.monitor.v1.MonitorService/RestoreTask': operates,
  '/hatchet.monitor.v1.MonitorService/ContinueAsNew': reports,
};

/** Undefined for a path that is no method's. */
export function ruleOf(path: string): CallRule | undefined {
  return isMethodPath(path) ? methodRules[path] : undefined;
}

function isMethodPath(path: string): path is MethodPath {
  return Object.hasOwn(methodRules, path);
}
