import type { CliContext } from '../../cli-context.ts';
import { outputOf } from '../../command-host.ts';
import { ExitCode } from '../../exit-codes.ts';
import type { TaskRow } from '../../monitor/run-reader.ts';
import { withReader } from '../../monitor/with-reader.ts';
import { causeText } from '../../output/cause-text.ts';
import { plainLines } from '../../output/plain-text.ts';
import type { GetRunFlags } from './get-run.ts';

/** Every unfinished task of a run, with what it waits for. */
export function whyRun(context: CliContext, runId: string, flags: GetRunFlags): Promise<ExitCode> {
  return withReader(context, flags, async (reader) => {
    const { run, tasks } = await reader.whyRun(runId);
    const waiting = tasks.filter((task) => task.cause !== null);
    const value = {
      runId: run.runId,
      workflow: run.workflow,
      status: run.status,
      tasks: waiting.map(({ taskId, name, status, cause }) => ({ taskId, name, status, cause })),
    };
    outputOf(context, flags).value(value, () =>
      plainLines(
        [
          `${run.workflow}  ${run.status}  ${run.runId}`,
          ...(waiting.length === 0 ? ['Nothing waits: the run has ended.'] : waiting.map(line)),
        ].join('\n'),
      ),
    );
    return ExitCode.done;
  });
}

function line(task: TaskRow): string {
  return `${task.name}  ${task.status}  ${task.cause === null ? '' : causeText(task.cause)}`;
}
