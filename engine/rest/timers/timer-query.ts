import type { Context } from 'hono';
import type { TimerQuery } from '../../monitor/timer-reads.ts';
import { metadataPairs } from '../../edge/parse/selection.ts';
import type { RestEnv } from '../deps.ts';
import { HatchetError } from '../../errors.ts';
import { checkedInput, checkedMetadata } from '../../model/payload.ts';
import { isObject, listQuery, pageQuery, textQuery, uuidQuery } from '../request-values.ts';

type Request = Context<RestEnv>['req'];

/** The only row, of an id. */
export const anyTimer = { workflowId: null, workflowName: null, name: null, metadata: null, offset: 0, limit: 1 };

/** What the lists of crons and of scheduled runs have in common. @throws HatchetError INVALID_ARGUMENT */
export function timerQuery(request: Request, tenantId: string): Omit<TimerQuery, 'payloadBytes'> {
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
export function timerInput(body: Record<string, unknown>): TimerInput {
  const { input, additionalMetadata, priority } = body;
  if (input !== undefined && !isObject(input)) throw new HatchetError('INVALID_ARGUMENT', 'input is not an object', { remedy: 'Send an object.' });
  if (priority !== undefined && priority !== 1 && priority !== 2 && priority !== 3) throw new HatchetError('INVALID_ARGUMENT', `priority is ${JSON.stringify(priority)}`, { remedy: 'Choose 1, 2 or 3.' });
  return {
    input: checkedInput(input === undefined ? '' : JSON.stringify(input)),
    metadata: checkedMetadata(additionalMetadata === undefined || additionalMetadata === null ? '' : JSON.stringify(additionalMetadata)),
    priority: priority ?? null,
  };
}
