import type { RegisteredWorker } from '../../../sdk/index.ts';
import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import type { ConnectionFlags } from '../../connection/resolve-connection.ts';
import { withSdk } from '../../connection/with-sdk.ts';
import { ExitCode } from '../../exit-codes.ts';
import type { WorkerRow } from '../../monitor/run-reader.ts';
import { workerStatusText } from '../../status-name.ts';
import { withReader } from '../../monitor/with-reader.ts';
import { plainLines } from '../../output/plain-text.ts';
import { ageText } from '../../output/time-text.ts';
import type { Table } from '../../output/table.ts';

export type WorkerFlags = ConnectionFlags & OutputFlag;

export interface ListWorkersFlags extends WorkerFlags {
  all?: true;
}

interface WorkerDetail {
  workerId: string;
  name: string;
  status: string;
  slots: WorkerRow['slots'];
  workflows: readonly string[];
  actions: readonly string[];
  labels: Readonly<Record<string, string>>;
  sdk: string;
  registeredAt: string;
  lastHeartbeatAt: string | null;
}

const table: Table<WorkerRow> = {
  columns: [
    { title: 'WORKER', cell: (worker) => worker.workerId },
    { title: 'NAME', cell: (worker) => worker.name, max: 40 },
    { title: 'STATUS', cell: (worker) => workerStatusText(worker.status) },
    { title: 'SLOTS', cell: (worker) => slotsText(worker.slots) },
    { title: 'ACTIONS', cell: (worker) => String(worker.actions.length), align: 'right' },
    { title: 'SINCE', cell: (worker) => ageText(worker.registeredAt), align: 'right' },
  ],
  empty: 'No workers. Start one with `hatchet dev` or `hatchet worker start`.',
};

export function listWorkers(context: CliContext, flags: ListWorkersFlags): Promise<ExitCode> {
  return withReader(context, flags, async (reader) => {
    outputOf(context, flags).list({ rows: await reader.listWorkers({ all: flags.all === true }), next: null }, table);
    return ExitCode.done;
  });
}

/** @throws HatchetError UNKNOWN_RUN */
export async function getWorker(context: CliContext, id: string, flags: WorkerFlags): Promise<ExitCode> {
  const detail = detailOf(await withSdk(context, flags, (hatchet) => hatchet.workers.get(id)));
  outputOf(context, flags).value(detail, () => render(detail));
  return ExitCode.done;
}

/** @throws HatchetError UNKNOWN_RUN */
export async function pauseWorker(
  context: CliContext,
  { id, verb }: { id: string; verb: 'pause' | 'unpause' },
  flags: WorkerFlags,
): Promise<ExitCode> {
  const { workerId, name, status } = detailOf(await withSdk(context, flags, (hatchet) => hatchet.workers[verb](id)));
  outputOf(context, flags).value({ workerId, name, status }, () => `${workerId}  ${name}  ${status}`);
  return ExitCode.done;
}

function detailOf(worker: RegisteredWorker): WorkerDetail {
  const {
    metadata,
    name,
    status,
    slotConfig = {},
    registeredWorkflows = [],
    actions = [],
    labels = [],
    runtimeInfo = {},
    lastHeartbeatAt,
  } = worker;
  return {
    workerId: metadata.id,
    name,
    status: status ?? 'INACTIVE',
    slots: Object.entries(slotConfig).map(([type, { limit, available }]) => ({
      type,
      total: limit,
      used: limit - (available ?? limit),
    })),
    workflows: registeredWorkflows.map((workflow) => workflow.name),
    actions,
    labels: Object.fromEntries(labels.map(({ key, value }) => [key, value ?? ''])),
    sdk: [runtimeInfo.language?.toLowerCase(), runtimeInfo.sdkVersion]
      .filter((part) => part !== undefined && part !== '')
      .join(' '),
    registeredAt: metadata.createdAt,
    lastHeartbeatAt: lastHeartbeatAt ?? null,
  };
}

function slotsText(slots: WorkerRow['slots']): string {
  return slots.map((slot) => `${slot.used}/${slot.total} ${slot.type}`).join(', ');
}

function render(worker: WorkerDetail): string {
  const labels = Object.entries(worker.labels).map(([key, value]) => `${key}=${value}`);
  return plainLines(
    [
      `${worker.name}  ${worker.status}  ${worker.workerId}`,
      `since ${worker.registeredAt}${worker.lastHeartbeatAt === null ? '' : `, last heartbeat ${ageText(worker.lastHeartbeatAt)} ago`}${worker.sdk === '' ? '' : `, ${worker.sdk}`}`,
      `slots ${slotsText(worker.slots)}`,
      `labels ${labels.length === 0 ? 'none' : labels.join(' ')}`,
      `workflows ${worker.workflows.length === 0 ? 'none' : worker.workflows.join(', ')}`,
    ].join('\n'),
  );
}
