import { durationToMs } from '../duration.ts';
import { HatchetError } from '../errors.ts';
import { fieldOf } from '../failure/safe-reads.ts';
import type { BatchTaskConfig, Concurrency, TaskSettings } from './task-settings.ts';
import { onFailureName, onSuccessName, type StepDefinition, type WorkflowDefinition } from './workflow-definition.ts';

const namePattern = /^[a-zA-Z0-9._-]+$/;
const reserved: ReadonlySet<string> = new Set([onFailureName, onSuccessName]);

/** Finds mistakes before the engine does, where the message can still name the option. @throws HatchetError INVALID_DEFINITION, INVALID_DURATION */
export function checkDefinition(definition: WorkflowDefinition): void {
  const { name, steps, settings, onFailure, onSuccess } = definition;
  checkName(name, 'workflow');
  if (steps.length === 0) throw invalid(`the workflow ${name} has no task`, 'Add one with workflow.task');
  checkConcurrency(`the workflow ${name}`, settings.concurrency);
  const names = new Set<string>();
  for (const step of steps) {
    checkName(step.name, 'task');
    if (reserved.has(step.name))
      throw invalid(`the name ${step.name} is taken`, 'Use workflow.onFailure or workflow.onSuccess for it');
    if (names.has(step.name))
      throw invalid(`the workflow ${name} has two tasks named ${step.name}`, 'Give each its own name');
    names.add(step.name);
  }
  for (const step of steps) checkStep(step, names);
  for (const hook of [onFailure, onSuccess]) if (hook !== undefined) checkSettings(hook.name, hook.settings);
}

function checkStep(step: StepDefinition, names: ReadonlySet<string>): void {
  const unknown = step.parents.find((parent) => !names.has(parent) || parent === step.name);
  if (unknown !== undefined)
    throw invalid(
      `the task ${step.name} has the parent ${unknown}, which its workflow has not`,
      'Take parents from the same workflow',
    );
  checkSettings(step.name, step.settings);
  const ttl = step.durable?.evictionPolicy.ttl;
  if (ttl !== undefined) durationToMs(ttl);
  if (step.batch !== undefined) checkBatch(step.name, step.batch.config);
}

function checkSettings(name: string, settings: TaskSettings): void {
  // Of tasks that may have it, it is no setting any more: this is what callers without types have given to others.
  if (fieldOf(settings, 'isolation') !== undefined)
    throw invalid(
      `the task ${name} is durable, or runs in batches, and has the option isolation`,
      'Have it start a task with `isolation` as its child',
    );
  const { retries, backoff, slotCost } = settings;
  if (retries !== undefined && !(Number.isInteger(retries) && retries >= 0))
    throw invalid(`retries of the task ${name} is ${retries}`, 'Use a whole number from 0');
  const factor = backoff?.factor;
  if (factor !== undefined && !(factor >= 1 && factor <= 1000))
    throw invalid(`backoff.factor of the task ${name} is ${factor}`, 'Use a number from 1 to 1000');
  const maxSeconds = backoff?.maxSeconds;
  if (maxSeconds !== undefined && !(Number.isInteger(maxSeconds) && maxSeconds > 0))
    throw invalid(`backoff.maxSeconds of the task ${name} is ${maxSeconds}`, 'Use a whole number of seconds');
  if (slotCost !== undefined && !(Number.isInteger(slotCost) && slotCost > 0))
    throw invalid(`slotCost of the task ${name} is ${slotCost}`, 'Use a whole number from 1');
  checkConcurrency(`the task ${name}`, settings.concurrency);
}

function checkBatch(name: string, { maxSize, maxInterval, groupMaxRuns }: BatchTaskConfig): void {
  const isCount = (value: number): boolean => Number.isInteger(value) && value > 0;
  if (!isCount(maxSize)) throw invalid(`batch.maxSize of the task ${name} is ${maxSize}`, 'Use a whole number from 1');
  if (maxInterval !== undefined && durationToMs(maxInterval) <= 0)
    throw invalid(
      `batch.maxInterval of the task ${name} is no time at all`,
      'Use a positive duration, or leave it out',
    );
  if (groupMaxRuns !== undefined && !isCount(groupMaxRuns))
    throw invalid(
      `batch.groupMaxRuns of the task ${name} is ${groupMaxRuns}`,
      'Use a whole number from 1, or leave it out',
    );
}

function checkConcurrency(what: string, concurrency: Concurrency | readonly Concurrency[] | undefined): void {
  for (const one of concurrency === undefined ? [] : [concurrency].flat()) {
    const { maxRuns } = one;
    const valid =
      maxRuns === undefined ||
      (typeof maxRuns === 'string' ? maxRuns.trim() !== '' : Number.isInteger(maxRuns) && maxRuns > 0);
    if (!valid)
      throw invalid(
        `concurrency.maxRuns of ${what} is ${JSON.stringify(maxRuns)}`,
        'Use a whole number from 1, or a CEL expression',
      );
    if (one.isTenantScoped === true && one.name === undefined)
      throw invalid(`a shared concurrency of ${what} has no name`, 'Give it a name');
  }
}

function checkName(name: string, kind: 'workflow' | 'task'): void {
  if (!namePattern.test(name))
    throw invalid(
      `${JSON.stringify(name)} cannot be the name of a ${kind}`,
      'Use letters, digits, dots, underscores and dashes',
    );
}

function invalid(message: string, remedy: string): HatchetError {
  return new HatchetError('INVALID_DEFINITION', message, { remedy });
}
