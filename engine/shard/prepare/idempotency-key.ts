import { CelVariables } from '../../cel/cel-variables.ts';
import { HatchetError } from '../../base/errors.ts';
import { unstorable } from '../../model/payload/storable-text.ts';
import type { TriggerRun } from '../../model/task/trigger-run.ts';
import type { Version } from '../../plan/state/workflow-version.ts';
import type { Owner } from '../owner.ts';

const longestKey = 1000;

/**
 * The key under which a run of its workflow is found again, from the workflow's expression over input and metadata; null where the
 * workflow has none.
 * @throws HatchetError INVALID_ARGUMENT where the workflow's expression gives no key
 */
export async function idempotencyOf(
  owner: Pick<Owner, 'cel'>,
  version: Version,
  payload: { input: string; metadata: string },
): Promise<TriggerRun['idempotency']> {
  const rule = version.definition.idempotency;
  if (rule === null) return null;
  const result = await owner.cel.evaluate(
    version.tenantId,
    rule.expression,
    new CelVariables({ input: payload.input, additional_metadata: payload.metadata }),
  );
  const why = result.ok
    ? `gives ${JSON.stringify(result.value).slice(0, 100)}, not a text of 1 to ${longestKey} characters`
    : `failed: ${result.message}`;
  if (
    !result.ok ||
    typeof result.value !== 'string' ||
    result.value === '' ||
    result.value.length > longestKey ||
    unstorable(result.value) !== undefined
  ) {
    throw new HatchetError(
      'INVALID_ARGUMENT',
      `the idempotency expression ${JSON.stringify(rule.expression)} of workflow ${version.definition.name} ${why}`,
      { remedy: 'Send what the expression reads.' },
    );
  }
  return { key: result.value, ttlUs: rule.ttlMs * 1000, byStatus: rule.method === 'STATUS' };
}
