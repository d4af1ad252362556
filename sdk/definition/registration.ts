import type {
  Concurrency as WireConcurrency,
  CreateTaskOpts,
  CreateTaskRateLimit,
  IdempotencyConfig as WireIdempotency,
  TaskBatchConfig as WireBatch,
} from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import {
  ConcurrencyLimitStrategy,
  CreateWorkflowVersionRequest,
  IdempotencyMethod,
  RateLimitDuration,
  StickyStrategy as WireSticky,
} from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import { applyNamespace } from '../config/client-config.ts';
import { durationToMs, durationToString } from '../duration.ts';
import { enumValue } from '../enum-value.ts';
import { HatchetError } from '../errors.ts';
import { messageOf } from '../failure/describe-failure.ts';
import { requireJson } from '../json-text.ts';
import { wireLabels } from '../run/trigger-request.ts';
import { taskConditions } from './conditions.ts';
import { keyOf } from './event.ts';
import { checkDefinition } from './check-definition.ts';
import type {
  BatchTaskConfig,
  Concurrency,
  IdempotencyConfig,
  RateLimit,
  StickyStrategyInput,
  TaskDefaults,
  TaskSettings,
} from './task-settings.ts';
import { onSuccessName, type StepDefinition, type WorkflowDefinition } from './workflow-definition.ts';

/** Names are lower case on the wire, as the official SDKs send them. */
export function wireName(definition: Pick<WorkflowDefinition, 'name'>, namespace: string): string {
  return applyNamespace(definition.name, namespace).toLowerCase();
}

/** The name under which a worker offers to run a step. */
export function actionId(workflowName: string, stepName: string): string {
  return `${workflowName}:${stepName}`.toLowerCase();
}

/** The workflow's steps, with the on-success task after all others. */
export function allSteps(definition: WorkflowDefinition): StepDefinition[] {
  const { steps, onSuccess } = definition;
  if (onSuccess === undefined) return [...steps];
  const withChildren = new Set(steps.flatMap((step) => step.parents));
  return [
    ...steps,
    {
      ...onSuccess,
      name: onSuccessName,
      parents: steps.filter((step) => !withChildren.has(step.name)).map((step) => step.name),
    },
  ];
}

/**
 * What registers a workflow.
 * @param jsonSchema of its input, where one is known
 * @throws HatchetError INVALID_DEFINITION, INVALID_DURATION
 */
export function toRegistration(
  definition: WorkflowDefinition,
  namespace: string,
  jsonSchema: object | undefined,
): CreateWorkflowVersionRequest {
  checkDefinition(definition);
  const { settings, taskDefaults, onFailure } = definition;
  const name = wireName(definition, namespace);
  return sendable({
    name,
    description: settings.description ?? '',
    version: settings.version ?? '',
    eventTriggers: [...list(settings.onEvents), ...list(settings.on?.event)].map((event) =>
      applyNamespace(keyOf(event), namespace),
    ),
    cronTriggers: [...list(settings.onCrons), ...list(settings.on?.cron)],
    tasks: allSteps(definition).map((step) => ({
      ...taskOptions(name, step, taskDefaults),
      conditions: taskConditions(step.settings, namespace),
    })),
    onFailureTask:
      onFailure === undefined ? undefined : { ...taskOptions(name, onFailure, taskDefaults), concurrency: [] },
    sticky: sticky(settings.sticky),
    defaultPriority: settings.defaultPriority,
    concurrencyArr: list(settings.concurrency).map((one) => concurrency(`the workflow ${name}`, one)),
    defaultFilters: (settings.defaultFilters ?? []).map(({ expression, scope, payload }) => ({
      expression,
      scope,
      payload:
        payload === undefined
          ? undefined
          : Buffer.from(
              requireJson(payload, `the payload of a default filter of the workflow ${name}`, 'INVALID_DEFINITION'),
            ),
    })),
    inputJsonSchema: jsonSchema === undefined ? undefined : Buffer.from(JSON.stringify(jsonSchema)),
    idempotency: settings.idempotency === undefined ? undefined : idempotency(settings.idempotency),
  });
}

/** Values of wrong types, from callers without types, would otherwise be found only once the engine can be reached. */
function sendable(request: CreateWorkflowVersionRequest): CreateWorkflowVersionRequest {
  try {
    CreateWorkflowVersionRequest.encode(request).finish();
  } catch (error) {
    throw new HatchetError(
      'INVALID_DEFINITION',
      `an option of the workflow ${request.name} has a value of the wrong type: ${messageOf(error)}`,
      { cause: error, remedy: 'Check its options: a number where a text is needed, or the other way round' },
    );
  }
  return request;
}

function taskOptions(workflowName: string, step: StepDefinition, defaults: TaskDefaults): CreateTaskOpts {
  const { settings } = step;
  const scheduleTimeout = settings.scheduleTimeout ?? defaults.scheduleTimeout;
  const backoff = settings.backoff ?? defaults.backoff;
  return {
    readableId: step.name,
    action: actionId(workflowName, step.name),
    timeout: durationToString(executionTimeout(settings, defaults)),
    scheduleTimeout: scheduleTimeout === undefined ? undefined : durationToString(scheduleTimeout),
    inputs: '{}',
    parents: [...step.parents],
    retries: settings.retries ?? defaults.retries ?? 0,
    backoffFactor: backoff?.factor,
    backoffMaxSeconds: backoff?.maxSeconds,
    rateLimits: (settings.rateLimits ?? defaults.rateLimits ?? []).map((limit) => rateLimit(step.name, limit)),
    workerLabels: wireLabels(settings.desiredWorkerLabels ?? defaults.workerLabels),
    concurrency: list(settings.concurrency ?? defaults.concurrency).map((one) =>
      concurrency(`the task ${step.name}`, one),
    ),
    isDurable: step.durable !== undefined,
    slotRequests: { [step.durable === undefined ? 'default' : 'durable']: settings.slotCost ?? 1 },
    batch: step.batch === undefined ? undefined : batchConfig(step.batch.config),
  };
}

function batchConfig({ maxSize, maxInterval, groupKey, groupMaxRuns, broadcastOutput }: BatchTaskConfig): WireBatch {
  return {
    batchMaxSize: maxSize,
    batchMaxIntervalMs: maxInterval === undefined ? undefined : durationToMs(maxInterval),
    batchGroupKey: groupKey,
    batchGroupMaxRuns: groupMaxRuns,
    broadcastOutput,
  };
}

/** Time for one attempt of a task. */
export function executionTimeout(
  settings: TaskSettings,
  defaults: TaskDefaults,
): NonNullable<TaskSettings['executionTimeout']> {
  return settings.executionTimeout ?? settings.timeout ?? defaults.executionTimeout ?? '60s';
}

function concurrency(what: string, one: Concurrency): WireConcurrency {
  return {
    expression: one.expression,
    // With an expression for the maximum, the fixed one is 1.
    maxRuns: typeof one.maxRuns === 'string' ? 1 : one.maxRuns,
    maxRunsExpression: typeof one.maxRuns === 'string' ? one.maxRuns : undefined,
    limitStrategy: enumValue(
      ConcurrencyLimitStrategy,
      one.limitStrategy ?? 'CANCEL_IN_PROGRESS',
      `concurrency.limitStrategy of ${what}`,
      'INVALID_DEFINITION',
    ),
    name: one.name,
    isTenantScoped: one.isTenantScoped,
  };
}

function rateLimit(stepName: string, limit: RateLimit): CreateTaskRateLimit {
  const staticKey = limit.staticKey ?? limit.key;
  const { dynamicKey, units } = limit;
  if ((staticKey === undefined) === (dynamicKey === undefined)) {
    throw new HatchetError('INVALID_DEFINITION', `a rate limit of the task ${stepName} needs one key`, {
      remedy: 'Give either staticKey or dynamicKey',
    });
  }
  return {
    key: staticKey ?? dynamicKey ?? '',
    keyExpr: dynamicKey,
    units: typeof units === 'number' ? units : undefined,
    unitsExpr: typeof units === 'string' ? units : undefined,
    limitValuesExpr: dynamicKey === undefined || limit.limit === undefined ? undefined : String(limit.limit),
    duration: enumValue(
      RateLimitDuration,
      limit.duration ?? 'MINUTE',
      `duration of a rate limit of the task ${stepName}`,
      'INVALID_DEFINITION',
    ),
  };
}

function sticky(strategy: StickyStrategyInput | undefined): WireSticky | undefined {
  if (strategy === undefined) return undefined;
  return strategy === 1 || strategy === 'hard' || strategy === 'HARD' ? WireSticky.HARD : WireSticky.SOFT;
}

function idempotency(config: IdempotencyConfig): WireIdempotency {
  const { expression } = config;
  if (config.strategy === 'status')
    return { expression, ttlMs: BigInt(config.fallbackTtlMs), method: IdempotencyMethod.STATUS };
  return { expression, ttlMs: BigInt(config.ttlMs), method: IdempotencyMethod.TTL };
}

function list<Item>(value: Item | readonly Item[] | undefined): Item[] {
  if (value === undefined) return [];
  return isList(value) ? [...value] : [value];
}

function isList<Item>(value: Item | readonly Item[]): value is readonly Item[] {
  return Array.isArray(value);
}
