import { endedResults } from '../../../../engine/monitor/runs/run-end-waiters.ts';
import { byText, selected, type StatementModel } from '../statement.ts';
import { newestEnd, stepName, tasksOf } from './rows-of-a-run.ts';

function bytesOf(text: string | null): number {
  return text === null ? 0 : Buffer.byteLength(text);
}

const ended: StatementModel = {
  text: endedResults.text,
  run: (context, parameters) => {
    const { tables, transaction } = context;
    const tenantId = parameters.one(1, 'uuid');
    const mostOfRun = parameters.one(3, 'bigint');
    const mostOfAll = parameters.one(4, 'bigint');
    let upto = 0;
    return selected(
      parameters
        .all(2, 'uuid')
        .sort(byText)
        .flatMap((runId) => {
          const run = tables.run.get(transaction, runId);
          if (run?.tenant_id !== tenantId || (newestEnd(context, runId)?.status ?? 0) === 0) return [];
          const version = tables.workflow_version.get(transaction, run.version_id);
          if (version === undefined) return [];
          const tasks = tasksOf(context, runId)
            .sort((a, b) => a.step - b.step)
            .map((task) => {
              const [newest] = tables.result
                .find(transaction, 'task_id', task.id)
                .sort((a, b) => b.generation - a.generation);
              return { ...task, output: newest?.output ?? null, error: newest?.error ?? null };
            });
          const bytes = tasks.reduce((sum, { output, error }) => sum + bytesOf(output) + bytesOf(error), 0);
          const isLarge = bytes > mostOfRun;
          if (!isLarge) upto += bytes;
          const isTold = !isLarge && upto <= mostOfAll;
          return tasks.map(({ id, step, output, error }) => ({
            run_id: runId,
            task_id: id,
            step_name: stepName(version.definition, step),
            is_large: isLarge,
            is_later: upto > mostOfAll,
            output: isTold ? output : null,
            error: isTold ? error : null,
          }));
        }),
    );
  },
};

/** How runs have ended, for whoever waits for them. */
export const runResultStatements = [ended];
