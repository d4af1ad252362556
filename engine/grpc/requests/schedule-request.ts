import { metadata, payload } from '../../edge/parse/checked-json.ts';
import { atMost } from '../../edge/parse/list.ts';
import { priority } from '../../edge/parse/number.ts';
import { moment } from '../../edge/parse/time.ts';
import { markChecked, type Checked } from '../../model/checked.ts';
import type { ScheduleFields } from '../../model/stored-rows.ts';
import { newId, parseUuid } from '../../model/ids/uuid.ts';
import type { PayloadReader } from '../../payloads/payload-reader.ts';
import type { ScheduleWorkflowRequest } from '../../../proto/gen/hatchet/contract/workflows.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

const most = 1000;

/** One row for each time. @throws HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE */
export async function readSchedules(
  payloads: PayloadReader,
  request: ScheduleWorkflowRequest,
  { tenantId, workflowId }: { tenantId: TenantId; workflowId: string },
): Promise<Checked<ScheduleFields>[]> {
  const run = {
    input: await payload(payloads, tenantId, request.input === '' ? '{}' : request.input, 'the input'),
    metadata: metadata(request.additionalMetadata ?? ''),
    priority: priority(request.priority) ?? null,
    parentTaskId: parseUuid(request.parentTaskRunExternalId ?? '') ?? null,
  };
  return atMost(request.schedules, 'the times of the call', most).map((at) =>
    markChecked({ id: newId(), workflowId, ...run, dueUs: moment(at, 'the time of a scheduled run') * 1000 }),
  );
}
