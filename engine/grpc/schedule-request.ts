import { HatchetError } from '../errors.ts';
import { checkedInput, checkedMetadata } from '../model/payload.ts';
import type { ScheduleRow } from '../model/rows.ts';
import { newId, parseUuid } from '../model/uuid.ts';
import type { ScheduleWorkflowRequest } from '../../proto/gen/hatchet/contract/workflows.ts';

const most = 1000;

/** One row for each time. @throws HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE */
export function readSchedules(request: ScheduleWorkflowRequest, target: { tenantId: string; workflowId: string }): ScheduleRow[] {
  const { schedules, priority } = request;
  if (schedules.length > most) throw new HatchetError('INVALID_ARGUMENT', `the call schedules ${schedules.length} runs`, { remedy: `Schedule at most ${most} a call.` });
  if (priority !== undefined && ![1, 2, 3].includes(priority)) throw new HatchetError('INVALID_ARGUMENT', `the priority is ${priority}`, { remedy: 'Choose 1, 2 or 3.' });
  const input = checkedInput(request.input);
  const metadata = checkedMetadata(request.additionalMetadata ?? '');
  const parentTaskId = parseUuid(request.parentTaskRunExternalId ?? '') ?? null;
  return schedules.map((at) => ({ id: newId(), ...target, dueUs: at.getTime() * 1000, input, metadata, priority: priority ?? null, parentTaskId }));
}
