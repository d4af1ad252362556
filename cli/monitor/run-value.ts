import { runOutput } from './run-output.ts';
import type { RunDetail } from './run-reader.ts';

/** A run as JSON: its row, what went in, and what came out. */
export function runValue(detail: RunDetail): object {
  return {
    ...detail.run,
    input: detail.input,
    output: detail.run.status === 'COMPLETED' ? runOutput(detail) : null,
    tasks: detail.tasks,
  };
}
