import type { RunDetail } from '../monitor/run-reader.ts';
import { bytesText } from './size-text.ts';

/** What was too much to come with a run, a line each, and how to see it. */
export function leftOutLines({ run, tasks, inputLeftOutBytes }: RunDetail): string[] {
  const line = (what: string, id: string, bytes: number | undefined): string[] =>
    bytes === undefined ? [] : [`${what} is left out: ${bytesText(bytes)}, \`hatchet runs get ${id}\` shows it`];
  return [
    ...line('the input', run.runId, inputLeftOutBytes),
    ...tasks.flatMap((task) => [
      ...line(`the output of ${task.name}`, task.taskId, task.outputLeftOutBytes),
      ...line(`the error of ${task.name}`, task.taskId, task.errorLeftOutBytes),
    ]),
  ];
}
