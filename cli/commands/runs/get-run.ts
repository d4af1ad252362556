import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import type { ConnectionFlags } from '../../connection/resolve-connection.ts';
import { ExitCode } from '../../exit-codes.ts';
import { logText } from '../../durable/log-text.ts';
import { currentBranch, openNodes } from '../../durable/log-tree.ts';
import type { DurableLogRow } from '../../monitor/durable-log-row.ts';
import { isTerminal } from '../../status-name.ts';
import type { RunDetail, TaskRow } from '../../monitor/run-reader.ts';
import { runOutput } from '../../monitor/run-output.ts';
import { runValue } from '../../monitor/run-value.ts';
import { withReader } from '../../monitor/with-reader.ts';
import { leftOutLines } from '../../output/left-out.ts';
import { jsonText, plainLines } from '../../output/plain-text.ts';
import { spanText } from '../../output/time-text.ts';
import { renderTable, type Table } from '../../output/table.ts';

export type GetRunFlags = ConnectionFlags & OutputFlag;

const table: Table<TaskRow> = {
  columns: [
    { title: 'ID', cell: (task) => task.taskId },
    { title: 'TASK', cell: (task) => task.name, max: 40 },
    { title: 'STATUS', cell: (task) => task.status },
    { title: 'ATTEMPT', cell: (task) => String(task.attempt + 1), align: 'right' },
    { title: 'TOOK', cell: (task) => spanText(task.startedAt, task.finishedAt), align: 'right' },
    { title: 'WORKER', cell: (task) => task.workerName ?? '', max: 30 },
    { title: 'AFTER', cell: (task) => task.parents.join(', '), max: 40 },
  ],
  empty: 'No tasks.',
};

export function getRun(context: CliContext, runId: string, flags: GetRunFlags): Promise<ExitCode> {
  return withReader(context, flags, async (reader) => {
    const detail = await reader.getRun(runId);
    const durable = detail.tasks.filter((task) => task.durable);
    const logs = new Map(
      await Promise.all(durable.map(async (task) => [task.taskId, await reader.getDurableLog(task.taskId)] as const)),
    );
    const value = {
      ...runValue(detail),
      tasks: detail.tasks.map((task) => ({ ...task, log: logValue(logs.get(task.taskId)) })),
    };
    outputOf(context, flags).value(value, () => render(detail, logs));
    return ExitCode.done;
  });
}

function logValue(log: DurableLogRow | undefined): object | null {
  if (log === undefined) return null;
  const { nodes, branches } = log;
  return {
    branch: currentBranch(log),
    nodes,
    branches,
    open: openNodes(log).map(({ branch, node }) => ({ branch, node })),
  };
}

function render(detail: RunDetail, logs: ReadonlyMap<string, DurableLogRow>): string {
  const { run, tasks, input } = detail;
  const lines = [
    `${run.workflow}  ${run.status}  ${run.runId}`,
    `created ${run.createdAt ?? ''}${run.finishedAt === null ? '' : `, took ${spanText(run.createdAt, run.finishedAt)}`}${run.priority === null ? '' : `, priority ${run.priority}`}`,
    '',
    renderTable(tasks, table),
    ...tasks.flatMap((task) => {
      const log = logs.get(task.taskId);
      return log === undefined ? [] : ['', logText(log, { isEnded: isTerminal(task.status) })];
    }),
    '',
    'input',
    indent(jsonText(input, 2)),
  ];
  if (run.status === 'COMPLETED') lines.push('output', indent(jsonText(runOutput(detail), 2)));
  for (const task of tasks) {
    if (task.errorMessage !== null)
      lines.push(
        `error of ${task.name}`,
        indent(plainLines(task.errorStack === null || task.errorStack === '' ? task.errorMessage : task.errorStack)),
      );
  }
  lines.push(...leftOutLines(detail));
  return plainLines(lines.join('\n'));
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
