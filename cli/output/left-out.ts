import type { RunDetail } from '../monitor/run-reader.ts';

/** A size for people: `4.0 MiB`, `12.3 KiB`. */
export function bytesText(bytes: number): string {
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

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
