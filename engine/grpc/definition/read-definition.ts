import { invalid } from '../../edge/parse/invalid.ts';
import { json } from '../../edge/parse/checked-json.ts';
import { wholeNumber } from '../../edge/parse/number.ts';
import { text } from '../../edge/parse/text.ts';
import { createHash } from 'node:crypto';
import {
  plainStep,
  plainWorkflow,
  type StepDefinition,
  type StickyStrategy,
  type WorkflowDefinition,
} from '../../model/definition.ts';
import { defaultExecutionTimeoutMs, defaultScheduleTimeoutMs } from '../../model/task/default-timeouts.ts';
import { parseDuration } from '../../model/time/duration.ts';
import { maxSteps } from '../../model/limits.ts';
import { topologyOf } from '../../model/topology.ts';
import type { CreateTaskOpts, CreateWorkflowVersionRequest } from '../../../proto/gen/hatchet/contract/v1/workflows.ts';
import type { Expressions } from '../../cel/cel-evaluator.ts';
import { readBatch } from './batch.ts';
import { readConditions } from './conditions.ts';
import { readConcurrency } from './concurrency.ts';
import { readCronInput, readCrons } from './crons.ts';
import { readDefaultFilters, readEventKeys } from './events.ts';
import { readIdempotency } from './idempotency.ts';
import { readRateLimitUses } from './rate-limits.ts';
import { readDesiredLabels } from './desired-labels.ts';
import { utf8 } from '../utf8.ts';
import { markChecked, type Checked } from '../../model/checked.ts';

const namePattern = /^[a-zA-Z0-9._-]+$/;
const longestName = 200;
const longestDescription = 65_536;
const longestSchema = 256 * 1024;
const mostSlotTypes = 100;
/** Of one workflow, all parents and conditions together. */
const longestDefinition = 4 * 1024 * 1024;

function checkName(name: string, what: string): void {
  if (!namePattern.test(name) || name.length > longestName) {
    throw invalid(
      `${what} ${JSON.stringify(name)} is not a valid name`,
      `Use 1 to ${longestName} letters, digits, dots, underscores and hyphens.`,
    );
  }
}

function duration(text: string | undefined, fallbackMs: number, what: string): number {
  if (text === undefined || text === '') return fallbackMs;
  const ms = parseDuration(text);
  if (ms === undefined || ms === 0)
    throw invalid(`${what} ${JSON.stringify(text)} is not a duration`, 'Write it like 500ms, 90s or 1h30m.');
  return ms;
}

async function step(
  task: CreateTaskOpts,
  context: { workflow: string; places: ReadonlyMap<string, number>; cel: Expressions },
): Promise<StepDefinition> {
  const { workflow, places, cel } = context;
  checkName(task.readableId, `task of workflow ${workflow}`);
  if (Object.keys(task.slotRequests).length > mostSlotTypes)
    throw invalid(
      `task ${task.readableId} of workflow ${workflow} asks for ${Object.keys(task.slotRequests).length} types of slots`,
      `Ask for at most ${mostSlotTypes}.`,
    );
  const where = `of task ${task.readableId} of workflow ${workflow}`;
  const parents = [...new Set(task.parents)].map((parent) => {
    const index = places.get(parent);
    if (index === undefined)
      throw invalid(`the parent ${JSON.stringify(parent)} ${where} does not exist`, 'Name tasks of the same workflow.');
    return index;
  });
  const slots = Object.entries(task.slotRequests).map(
    ([type, units]) =>
      [
        text(type, `the name of a slot type ${where}`),
        wholeNumber(units, `the cost in ${type} slots ${where}`, { min: 1, max: 1_000_000 }),
      ] as const,
  );
  return {
    name: task.readableId,
    action: text(
      task.action === '' ? `${workflow}:${task.readableId}` : task.action,
      `the action ${where}`,
    ).toLowerCase(),
    parents,
    retries: wholeNumber(task.retries, `retries ${where}`, { min: 0, max: 100_000 }),
    backoffFactor:
      task.backoffFactor === undefined || task.backoffFactor === 0 ? null : backoff(task.backoffFactor, where),
    backoffMaxSeconds:
      task.backoffMaxSeconds === undefined || task.backoffMaxSeconds === 0
        ? null
        : wholeNumber(task.backoffMaxSeconds, `the longest back-off ${where}`, { min: 1, max: 86_400 }),
    executionTimeoutMs: duration(task.timeout, defaultExecutionTimeoutMs, `the execution timeout ${where}`),
    scheduleTimeoutMs: duration(task.scheduleTimeout, defaultScheduleTimeoutMs, `the schedule timeout ${where}`),
    slots: slots.length === 0 ? { [task.isDurable ? 'durable' : 'default']: 1 } : Object.fromEntries(slots),
    durable: task.isDurable,
    ...plainStep,
    conditions: await readConditions(task.conditions, { where, places, parents, cel }),
    concurrency: readConcurrency(task.concurrency, where),
    rateLimits: readRateLimitUses(task.rateLimits, where),
    labels: readDesiredLabels(task.workerLabels, where),
    batch: readBatch(task, where),
  };
}

function backoff(factor: number, where: string): number {
  if (!(factor >= 1 && factor <= 1000))
    throw invalid(`the back-off factor ${where} is ${factor}`, 'Choose a number from 1 to 1000.');
  return factor;
}

function refuseCycles(workflow: string, steps: readonly StepDefinition[]): void {
  const { circular } = topologyOf(steps.map((each) => each.parents));
  if (circular.length > 0)
    throw invalid(
      `the tasks ${circular.map((index) => steps[index]?.name).join(', ')} of workflow ${workflow} wait for each other`,
      'Remove the cycle.',
    );
}

function stickyOf(wire: number, workflow: string): StickyStrategy {
  if (wire === 0) return 'SOFT';
  if (wire === 1) return 'HARD';
  throw invalid(`the sticky strategy ${wire} of workflow ${workflow} is unknown`, 'Use SOFT or HARD.');
}

function schemaText(request: CreateWorkflowVersionRequest): string | null {
  if (request.inputJsonSchema === undefined || request.inputJsonSchema.length === 0) return null;
  const what = `the input schema of workflow ${request.name}`;
  if (request.inputJsonSchema.length > longestSchema)
    throw invalid(`${what} has ${request.inputJsonSchema.length} bytes`, `Keep it under ${longestSchema}.`);
  return json(utf8(request.inputJsonSchema), what);
}

/**
 * A registration in the engine's own words, checked whole.
 * @throws HatchetError INVALID_ARGUMENT
 */
export async function readDefinition(
  request: CreateWorkflowVersionRequest,
  cel: Expressions,
): Promise<{ definition: Checked<WorkflowDefinition>; checksum: Checked<string> }> {
  checkName(request.name, 'workflow');
  if (request.tasks.length === 0) throw invalid(`workflow ${request.name} has no tasks`, 'Add at least one task.');
  if (request.description.length > longestDescription)
    throw invalid(
      `the description of workflow ${request.name} has ${request.description.length} characters`,
      `Use up to ${longestDescription}.`,
    );
  const { onFailureTask } = request;
  const tasks = onFailureTask === undefined ? request.tasks : [...request.tasks, onFailureTask];
  if (tasks.length > maxSteps)
    throw invalid(`workflow ${request.name} has ${tasks.length} tasks`, `Keep to ${maxSteps}.`);
  const places = new Map(tasks.map((task, place) => [task.readableId, place]));
  const twice = tasks.find((task, place) => places.get(task.readableId) !== place);
  if (twice !== undefined)
    throw invalid(`workflow ${request.name} has two tasks named ${twice.readableId}`, 'Give each task its own name.');
  const steps = await Promise.all(tasks.map(async (task) => step(task, { workflow: request.name, places, cel })));
  const onFailure = onFailureTask === undefined ? null : tasks.length - 1;
  if (onFailure !== null && steps.some((each) => each.parents.includes(onFailure)))
    throw invalid(`a task of workflow ${request.name} waits for its on-failure task`, 'Leave it out of the parents.');
  if (onFailure !== null && (steps[onFailure]?.parents.length !== 0 || steps[onFailure]?.conditions.length !== 0))
    throw invalid(
      `the on-failure task of workflow ${request.name} has parents or conditions`,
      'It starts with the first failure; leave them out.',
    );
  refuseCycles(request.name, steps);
  const definition: WorkflowDefinition = {
    name: request.name,
    description: request.description.replaceAll('\0', ''),
    defaultPriority: wholeNumber(request.defaultPriority ?? 1, `the default priority of workflow ${request.name}`, {
      min: 1,
      max: 3,
    }),
    inputJsonSchema: schemaText(request),
    steps,
    ...plainWorkflow,
    onFailure,
    idempotency: readIdempotency(request.idempotency, request.name),
    eventKeys: readEventKeys(request.eventTriggers, request.name),
    crons: readCrons(request.cronTriggers, request.name),
    cronInput: readCronInput(request.cronInput),
    filters: readDefaultFilters(request.defaultFilters, request.name),
    concurrency: readConcurrency(
      [...(request.concurrency === undefined ? [] : [request.concurrency]), ...request.concurrencyArr],
      `of workflow ${request.name}`,
    ),
    sticky: request.sticky === undefined ? null : stickyOf(request.sticky, request.name),
  };
  const written = JSON.stringify(definition);
  if (written.length > longestDefinition)
    throw invalid(
      `the definition of workflow ${request.name} has ${written.length} characters`,
      `Keep it under ${longestDefinition}.`,
    );
  return {
    definition: markChecked(definition),
    checksum: markChecked(createHash('sha256').update(written).digest('hex')),
  };
}
