import type { Expressions } from '../../cel/cel-evaluator.ts';
import type { CelResult } from '../../cel/cel-result.ts';
import { CelVariables } from '../../cel/cel-variables.ts';
import type { BatchRule, ConcurrencyLink, DesiredLabel, RateLimitUse, StepDefinition } from '../../model/definition.ts';
import type { ConcurrencyDemand, RateLimitDemand, RunPlacement } from '../../model/task/demands.ts';
import { unstorable } from '../../model/payload/storable-text.ts';
import type { StepDemands } from '../../model/task/trigger-run.ts';
import type { Version } from '../../plan/state/workflow-version.ts';
import { strategyId } from '../../model/task/strategy-id.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** Places that one key may have, units that one attempt may take. */
const largest = 1_000_000_000;
/** Characters of a concurrency or rate-limit key. */
const longestKey = 1000;

export interface DemandSource extends RunPlacement {
  runId: string;
  /** JSON. */
  input: string;
  /** JSON object. */
  metadata: string;
  /** JSON object. */
  filterPayload: string | null;
}

class ExpressionFailed extends Error {}

/** Does any task of the version ask for more than a slot and fixed labels? */
export function asksAnything(version: Version, source: RunPlacement): boolean {
  const { concurrency, sticky, steps } = version.definition;
  return (
    concurrency.length > 0 ||
    sticky !== null ||
    source.labels.length > 0 ||
    source.desiredWorkerId !== null ||
    steps.some((step) => step.concurrency.length > 0 || step.rateLimits.length > 0 || step.batch !== null)
  );
}

/** Evaluates everything that the run's tasks will ask of the queue. An expression that fails is its task's error. */
export async function evaluateDemands(
  cel: Expressions,
  version: Version,
  source: DemandSource,
): Promise<readonly StepDemands[] | null> {
  if (!asksAnything(version, source)) return null;
  const { definition, tenantId, workflowId } = version;
  const evaluate = evaluator(cel, source);
  const runLinks = await settled(() =>
    links(definition.concurrency, { level: 'run', workflowId, taskName: undefined, tenantId, evaluate }),
  );
  return Promise.all(
    definition.steps.map(async (step): Promise<StepDemands> => {
      if ('error' in runLinks) return { demands: null, error: runLinks.error };
      const own = await settled(async () => ({
        concurrency: await links(step.concurrency, {
          level: 'task',
          workflowId,
          taskName: step.name,
          tenantId,
          evaluate,
        }),
        rateLimits: await rateLimits(step.rateLimits, evaluate),
        batch: step.batch === null ? undefined : { key: await batchKey(step.batch, evaluate), bytes: bytesOf(source) },
      }));
      if ('error' in own) return { demands: null, error: own.error };
      const concurrency = [...runLinks.value, ...own.value.concurrency];
      const { rateLimits: limits, batch } = own.value;
      return {
        demands: {
          concurrency,
          rateLimits: limits,
          labels: labelsOf(step, source),
          desiredWorkerId: source.desiredWorkerId,
          ...(batch === undefined ? {} : { batch }),
        },
        error: null,
      };
    }),
  );
}

/** What a run brings to a batch's message. */
function bytesOf({ input, metadata, filterPayload }: DemandSource): number {
  return Buffer.byteLength(input) + Buffer.byteLength(metadata) + Buffer.byteLength(filterPayload ?? '');
}

type Evaluate = (expression: string, what: string) => Promise<CelResult & { ok: true }>;

/** The payloads are parsed once, and only for a workflow that has expressions. */
function evaluator(cel: Expressions, source: DemandSource): Evaluate {
  let variables: CelVariables | undefined;
  return async (expression, what) => {
    variables ??= new CelVariables({
      input: source.input,
      additional_metadata: source.metadata,
      workflow_run_id: JSON.stringify(source.runId),
    });
    const result = await cel.evaluate(expression, variables);
    if (!result.ok) throw new ExpressionFailed(`${what} ${JSON.stringify(expression)} failed: ${result.message}`);
    return result;
  };
}

async function settled<T>(work: () => Promise<T>): Promise<{ value: T } | { error: string }> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof ExpressionFailed) return { error: error.message };
    throw error;
  }
}

async function links(
  declared: readonly ConcurrencyLink[],
  options: {
    level: 'run' | 'task';
    workflowId: string;
    taskName: string | undefined;
    tenantId: TenantId;
    evaluate: Evaluate;
  },
): Promise<ConcurrencyDemand[]> {
  const { level, workflowId, taskName, evaluate } = options;
  return Promise.all(
    declared.map(async ({ expression, strategy, maxRuns, maxRunsExpression, sharedName }, index) => ({
      level,
      strategyId: strategyId(sharedName === null ? { workflowId, taskName, index } : { sharedName }),
      strategy,
      key: await keyOf(expression, 'the concurrency expression', evaluate),
      maxRuns:
        maxRunsExpression === null
          ? maxRuns
          : await wholeNumber(maxRunsExpression, 'the max-runs expression', evaluate),
    })),
  );
}

async function rateLimits(declared: readonly RateLimitUse[], evaluate: Evaluate): Promise<RateLimitDemand[]> {
  const uses = await Promise.all(
    declared.map(async ({ key, keyExpression, units, unitsExpression, limitExpression, window }) => ({
      key: keyExpression === null ? key : await keyOf(keyExpression, 'the rate limit key expression', evaluate),
      units:
        unitsExpression === null
          ? units
          : await wholeNumber(unitsExpression, 'the rate limit units expression', evaluate),
      limit:
        limitExpression === null ? null : await wholeNumber(limitExpression, 'the rate limit expression', evaluate),
      window,
    })),
  );
  // Two uses of one key are one debit: units are looked at key by key.
  const byKey = new Map<string, RateLimitDemand>();
  for (const use of uses) byKey.set(use.key, { ...use, units: use.units + (byKey.get(use.key)?.units ?? 0) });
  return [...byKey.values()];
}

/** The words are those that Hatchet's users know. */
async function batchKey({ groupKey }: BatchRule, evaluate: Evaluate): Promise<string> {
  return groupKey === null ? '' : await keyOf(groupKey, 'failed to parse batch group key expression:', evaluate);
}

async function keyOf(expression: string, what: string, evaluate: Evaluate): Promise<string> {
  const { value } = await evaluate(expression, what);
  if (typeof value !== 'string')
    throw new ExpressionFailed(
      `${what} ${JSON.stringify(expression)} must give a string, not ${JSON.stringify(value).slice(0, 100)}`,
    );
  if (value.length > longestKey || unstorable(value) !== undefined)
    throw new ExpressionFailed(
      `${what} ${JSON.stringify(expression)} gives a key of ${value.length} characters; up to ${longestKey} without NUL are allowed`,
    );
  return value;
}

async function wholeNumber(expression: string, what: string, evaluate: Evaluate): Promise<number> {
  const { value } = await evaluate(expression, what);
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > largest)
    throw new ExpressionFailed(
      `${what} ${JSON.stringify(expression)} must give a whole number from 0 to ${largest}, not ${JSON.stringify(value).slice(0, 100)}`,
    );
  return value;
}

function labelsOf(step: StepDefinition, source: DemandSource): DesiredLabel[] {
  if (source.labels.length === 0) return [];
  return [...new Map([...step.labels, ...source.labels].map((label) => [label.key, label])).values()];
}
