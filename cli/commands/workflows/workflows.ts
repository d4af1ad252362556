import type { CliContext } from '../../cli-context.ts';
import type { PauseOptions } from '../../../sdk/index.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import type { ConnectionFlags } from '../../connection/resolve-connection.ts';
import { withSdk } from '../../connection/with-sdk.ts';
import { ExitCode } from '../../exit-codes.ts';
import type { WorkflowDetail, WorkflowRow } from '../../monitor/run-reader.ts';
import { withReader } from '../../monitor/with-reader.ts';
import { jsonText, plainLines } from '../../output/plain-text.ts';
import { renderTable, type Table } from '../../output/table.ts';

export type WorkflowFlags = ConnectionFlags & OutputFlag;
export type PauseFlags = WorkflowFlags & PauseOptions;

const workflows: Table<WorkflowRow> = {
  columns: [
    { title: 'WORKFLOW', cell: (row) => row.name, max: 50 },
    { title: 'TASKS', cell: (row) => String(row.taskCount ?? ''), align: 'right' },
    { title: 'PAUSED', cell: (row) => (row.paused ? 'yes' : '') },
    { title: 'VERSION', cell: (row) => row.versionId },
    { title: 'SINCE', cell: (row) => row.createdAt ?? '' },
  ],
  empty: 'No workflows. A worker registers them: start one with `hatchet dev`.',
};

const tasks: Table<WorkflowDetail['tasks'][number]> = {
  columns: [
    { title: 'TASK', cell: (task) => task.name, max: 50 },
    { title: 'AFTER', cell: (task) => task.parents.join(', ') },
    { title: 'RETRIES', cell: (task) => String(task.retries ?? ''), align: 'right' },
    { title: 'TIMEOUT', cell: (task) => task.executionTimeout },
    { title: 'SCHEDULE TIMEOUT', cell: (task) => task.scheduleTimeout },
  ],
  empty: 'No tasks.',
};

export function listWorkflows(context: CliContext, flags: WorkflowFlags): Promise<ExitCode> {
  return withReader(context, flags, async (reader) => {
    outputOf(context, flags).list({ rows: await reader.listWorkflows(), next: null }, workflows);
    return ExitCode.done;
  });
}

export function getWorkflow(context: CliContext, name: string, flags: WorkflowFlags): Promise<ExitCode> {
  return withReader(context, flags, async (reader) => {
    const detail = await reader.getWorkflow(name);
    const { workflow, ...rest } = detail;
    outputOf(context, flags).value({ ...workflow, ...rest }, () => render(detail));
    return ExitCode.done;
  });
}

/** @throws HatchetError UNKNOWN_WORKFLOW, INVALID_DURATION */
export async function pauseWorkflow(
  context: CliContext,
  { name, paused }: { name: string; paused: boolean },
  flags: PauseFlags,
): Promise<ExitCode> {
  const { crons, scheduled, queueTtl } = flags;
  const workflow = await withSdk(context, flags, ({ workflows: registered }) =>
    paused ? registered.pause(name, { crons, scheduled, queueTtl }) : registered.unpause(name),
  );
  outputOf(context, flags).value(
    { workflowId: workflow.metadata.id, name: workflow.name, paused },
    () => `${workflow.name}  ${paused ? 'paused' : 'not paused'}`,
  );
  return ExitCode.done;
}

function render(detail: WorkflowDetail): string {
  const { workflow, inputJsonSchema } = detail;
  const head = [workflow.name, workflow.description].filter((part) => part !== '').join('  ');
  const schema = inputJsonSchema === null ? 'The input has no schema.' : `input\n${jsonText(inputJsonSchema, 2)}`;
  return plainLines(
    `${head}\nversion ${workflow.versionId}, priority ${detail.defaultPriority}${workflow.paused ? ', paused' : ''}\n\n${renderTable(detail.tasks, tasks)}\n\n${schema}`,
  );
}
