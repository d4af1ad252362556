import { cron } from '../../edge/parse/cron.ts';
import { input } from '../../edge/parse/checked-json.ts';
import { atMost } from '../../edge/parse/list.ts';
import { markChecked, type Checked } from '../../model/checked.ts';
import { nextTick } from '../../model/time/cron.ts';
import type { WorkflowDefinition } from '../../model/definition.ts';
import type { CronFields } from '../../model/stored-rows.ts';
import { newId } from '../../model/ids/uuid.ts';

const most = 1000;
const zone = 'UTC';

/** @throws HatchetError INVALID_ARGUMENT */
export function readCrons(expressions: readonly string[], workflow: string): string[] {
  return [
    ...new Set(
      atMost(expressions, `the crons of workflow ${workflow}`, most).map(
        (expression) => cron({ expression, zone }, `the cron of workflow ${workflow}`).expression,
      ),
    ),
  ];
}

/** @throws HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE */
export function readCronInput(given: string | undefined): string | null {
  return given === undefined || given === '' ? null : input(given);
}

/** The crons that a version declares: each is named by its expression. */
export function declaredCrons(
  definition: WorkflowDefinition,
  options: { workflowId: string; nowMs: number },
): Checked<CronFields>[] {
  const { workflowId, nowMs } = options;
  return definition.crons.map((expression) =>
    markChecked({
      id: newId(),
      workflowId,
      name: expression,
      expression,
      zone,
      catchUp: 'none' as const,
      input: definition.cronInput ?? '{}',
      metadata: '{}',
      priority: null,
      enabled: true,
      isDeclared: true,
      nextUs: Math.min(nextTick({ expression, zone }, nowMs) * 1000, Number.MAX_SAFE_INTEGER),
      lastUs: null,
      lastRunId: null,
    }),
  );
}
