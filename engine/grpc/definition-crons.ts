import { cronProblem, nextTick } from '../model/cron.ts';
import type { WorkflowDefinition } from '../model/definition.ts';
import { checkedInput } from '../model/payload.ts';
import type { CronRow } from '../model/rows.ts';
import { newId } from '../model/uuid.ts';
import { invalid } from './definition-error.ts';

const most = 1000;
const zone = 'UTC';

/** @throws HatchetError INVALID_ARGUMENT */
export function readCrons(expressions: readonly string[], workflow: string): string[] {
  if (expressions.length > most) throw invalid(`workflow ${workflow} has ${expressions.length} crons`, `Give it at most ${most}.`);
  for (const expression of expressions) {
    const wrong = cronProblem({ expression, zone });
    if (wrong !== undefined) throw invalid(`the cron ${JSON.stringify(expression)} of workflow ${workflow} is not valid: ${wrong.problem}`, wrong.remedy);
  }
  return [...new Set(expressions)];
}

/** @throws HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE */
export function readCronInput(input: string | undefined): string | null {
  return input === undefined || input === '' ? null : checkedInput(input);
}

/** The crons that a version declares: each is named by its expression. */
export function declaredCrons(definition: WorkflowDefinition, options: { tenantId: string; workflowId: string; nowMs: number }): CronRow[] {
  const { tenantId, workflowId, nowMs } = options;
  return definition.crons.map((expression) => ({
    id: newId(),
    tenantId,
    workflowId,
    name: expression,
    expression,
    zone,
    catchUp: 'none',
    input: definition.cronInput ?? '{}',
    metadata: '{}',
    priority: null,
    enabled: true,
    isDeclared: true,
    nextUs: Math.min(nextTick({ expression, zone }, nowMs) * 1000, Number.MAX_SAFE_INTEGER),
    lastUs: null,
    lastRunId: null,
  }));
}
