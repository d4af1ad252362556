/**
 * The SDK: `import { Hatchet } from 'hatchet-ts'`. `hatchet-ts/v1` is the same, for code that was written for the
 * official SDK's v1 entry.
 */
export { HatchetClient as Hatchet, HatchetClient } from './client.ts';
export type { ClientConfig } from './config/client-config.ts';
export type { CarriedContext, SpanFacts, SpanStart, Tracing } from './tracing.ts';
export type { ClientOptions, LegacyTlsConfig, TlsConfig, TlsStrategy } from './config/client-options.ts';
export type { Healthcheck, HealthcheckOptions } from './config/healthcheck.ts';
export { BatchContext } from './context/batch-context.ts';
export {
  DurableContext,
  type EventWaitOptions,
  type SleepOptions,
  type SleepResult,
} from './context/durable-context.ts';
export type { WaitResult } from './context/wait-result.ts';
export { Context, type ChildRun, type ChildRunOptions } from './context/context.ts';
export type { WorkerLabels } from './context/context-host.ts';
export type { LogDetails } from './context/log-line.ts';
export type {
  BatchResults,
  BatchTaskFn,
  BatchTaskOptions,
  BroadcastTaskFn,
  BroadcastTaskOptions,
  CheckedDurableTaskOptions,
  CheckedTaskOptions,
  CheckedWorkflowDurableTaskOptions,
  CheckedWorkflowTaskOptions,
  DurableTaskFn,
  DurableTaskOptions,
  HookOptions,
  TaskFn,
  TaskOptions,
  WorkflowBatchTaskOptions,
  WorkflowBroadcastTaskOptions,
  WorkflowDurableTaskOptions,
  WorkflowOptions,
  WorkflowTaskOptions,
} from './definition/task-options.ts';
export { EventDeclaration, type AnyEvent, type EventFor } from './definition/event.ts';
export type {
  Added,
  AddedBy,
  AfterHook,
  BeforeHook,
  Extended,
  ExtendedOutput,
  NothingAdded,
  TaskMiddleware,
  TaskMiddleware as HatchetMiddleware,
  Without,
} from './definition/middleware.ts';
export {
  Or,
  OrCondition,
  ParentCondition,
  SleepCondition,
  UserEventCondition,
  type ConditionSettings,
  type Parent,
  type SingleCondition,
  type Sleep,
  type TaskCondition,
  type UserEvent,
  type WaitCondition,
} from './definition/conditions.ts';
export type { EvictionPolicy } from './durable/eviction-policy.ts';
export { AuditClient, type AuditLine, type ListAudit } from './features/audit-client.ts';
export { CronsClient, type CreateCron, type Cron } from './features/crons-client.ts';
export {
  EventsClient,
  type BulkEvent,
  type ListEvents,
  type PushedEvent,
  type PushEventOptions,
  type StoredEvent,
} from './features/events-client.ts';
export { FiltersClient, type CreateFilter, type Filter } from './features/filters-client.ts';
export { RateLimitsClient, type RateLimitState } from './features/rate-limits-client.ts';
export {
  ScheduledClient,
  type CreateScheduledRun,
  type ScheduledRun,
  type ScheduledTime,
} from './features/scheduled-client.ts';
export {
  WebhooksClient,
  type CreateWebhook,
  type Webhook,
  type WebhookApiKeyAuth,
  type WebhookAuth,
  type WebhookBasicAuth,
  type WebhookChange,
  type WebhookHmacAuth,
  type WebhookSource,
} from './features/webhooks-client.ts';
export { WorkersClient, type RegisteredWorker } from './features/workers-client.ts';
export { WorkflowsClient, type PauseOptions, type RegisteredWorkflow } from './features/workflows-client.ts';
export { StickyStrategy } from './definition/task-settings.ts';
export type {
  BatchTaskConfig,
  Concurrency,
  DefaultFilter,
  IdempotencyConfig,
  RateLimit,
  RetryBackoff,
  TaskDefaults,
  TaskSettings,
  WorkflowSettings,
} from './definition/task-settings.ts';
export { durationToMs, durationToString, type Duration, type DurationObject } from './duration.ts';
export {
  BulkTriggerIdempotencyCollisionError,
  HatchetError,
  NonDeterminismError,
  IdempotencyCollisionError,
  NonRetryableError,
  RunCancelledError,
  RunFailedError,
  TaskCancelledError,
  type HatchetErrorCode,
  type TaskFailure,
} from './errors.ts';
export type { EnumInput } from './enum-value.ts';
export type {
  IsolatedTaskSettings,
  Isolation,
  IsolationLevel,
  ProcessIsolation,
  SandboxIsolation,
  ThreadIsolation,
} from './isolation/definition/isolation.ts';
export type { IsolationOptions } from './isolation/attempts/isolation-options.ts';
export { runnerLevel } from './isolation/in-runner/runner-port.ts';
export type { JsonOf, NotCarriedByJson } from './json-of.ts';
export type {
  InputType,
  JsonArray,
  JsonObject,
  JsonPrimitive,
  JsonValue,
  OutputType,
  UnknownInputType,
} from './json-value.ts';
export type { LogConstructor, Logger, LogLevel } from './logger.ts';
export {
  Priority,
  type DesiredWorkerLabel,
  type DesiredWorkerLabels,
  type RunManyItem,
  type RunManyItem as RunManyOpt,
  type RunOptions,
  type RunOptions as RunOpts,
} from './run/run-options.ts';
export type {
  ListRunsOptions,
  RunDetail,
  RunFilter,
  RunSelection,
  RunStatusName,
  TaskRunDetail,
  TaskSummary,
  TaskSummaryList,
  WorkflowRunDetails,
} from './run/run-record.ts';
export { WorkflowRunRef } from './run/run-ref.ts';
export type { RunTarget, TaskRef } from './run/run-target.ts';
export { RunsClient } from './run/runs-client.ts';
export type { SchemaInput, SchemaIssue, SchemaOutput, StandardSchema } from './schema/standard-schema.ts';
export { SchemaError } from './schema/validate.ts';
export { Worker } from './worker/worker.ts';
export type { WorkerOptions, WorkerOptions as CreateWorkerOpts } from './worker/worker-options.ts';
export { Declaration, type CronOptions, type LaterRunOptions, type Runnable } from './workflow/declaration.ts';
export { TaskDeclaration, TaskDeclaration as TaskWorkflowDeclaration } from './workflow/task.ts';
export { WorkflowDeclaration, WorkflowTask } from './workflow/workflow.ts';
export { ConcurrencyLimitStrategy, RateLimitDuration } from '../proto/gen/hatchet/contract/v1/workflows.ts';
export { WorkerLabelComparator } from '../proto/gen/hatchet/contract/v1/trigger.ts';
