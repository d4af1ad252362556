import type { Context } from 'hono';
import type { TimerQuery } from '../../monitor/timer-reads.ts';
import { metadataPairs } from '../../edge/parse/selection.ts';
import type { RestEnv } from '../deps.ts';
import { HatchetError } from '../../base/errors.ts';
import { checkedMetadata } from '../../model/payload/check-payload.ts';
import type { PayloadReader } from '../../payloads/payload-reader.ts';
import { listQuery, objectMember, pageQuery, payloadMember, textQuery, uuidQuery } from '../request-values.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

type Request = Context<RestEnv>['req'];

/** The only row, of an id. */
export const anyTimer = { workflowId: null, workflowName: null, name: null, metadata: null, offset: 0, limit: 1 };

/** What the lists of crons and of scheduled runs have in common. @throws HatchetError INVALID_ARGUMENT */
export function timerQuery(request: Request, tenantId: TenantId): Omit<TimerQuery, 'payloadBytes'> {
  return {
    tenantId,
    id: null,
    workflowId: uuidQuery(request, 'workflowId'),
    workflowName: textQuery(request, 'workflowName'),
    name: textQuery(request, 'cronName'),
    metadata: metadataPairs(listQuery(request, 'additionalMetadata')),
    ...pageQuery(request),
  };
}

export interface TimerInput {
  input: string;
  metadata: string;
  priority: number | null;
}

/** @throws HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE */
export async function timerInput(
  body: Record<string, unknown>,
  tenantId: TenantId,
  payloads: PayloadReader,
): Promise<TimerInput> {
  const { input, additionalMetadata, priority } = body;
  const inputText = objectMember(input, 'input') ?? '{}';
  if (priority !== undefined && priority !== 1 && priority !== 2 && priority !== 3)
    throw new HatchetError('INVALID_ARGUMENT', `priority is ${JSON.stringify(priority)}`, {
      remedy: 'Choose 1, 2 or 3.',
    });
  await payloads.check(tenantId, inputText, 'the input');
  return {
    input: inputText,
    metadata: checkedMetadata(payloadMember(additionalMetadata) ?? ''),
    priority: priority ?? null,
  };
}
