import { expect } from 'vitest';
import type { CliResult } from './run-cli.ts';

/** What commands print with `-o json`: the fields that tests go on with. Which of them a command has is what its test says. */
export interface Printed {
  runId: string;
  runIds: string[];
  taskId: string;
  cancelled: string[];
  replayedTasks: string[];
  refused: { id: string; reason: string }[];
  eventId: string;
  expiresAt: string;
  filterId: string;
  cronId: string;
  scheduleId: string;
  workerId: string;
  url: string;
  workflow: string;
  status: string;
  type: string;
  paused: boolean;
  next: string;
  rows: Printed[];
  runs: Printed[];
  tasks: Printed[];
  cause: { code: string; text: string };
  log: { nodes: unknown[] };
}

/** Of a command that succeeded. */
export function printed(result: CliResult): Printed {
  expect([result.code, result.stderr.includes('error')], result.stderr).toEqual([0, false]);
  return JSON.parse(result.stdout);
}

/** Of one that prints an object a line. */
export function printedLines(result: CliResult): Printed[] {
  expect([result.code, result.stderr.includes('error')], result.stderr).toEqual([0, false]);
  return result.stdout
    .trim()
    .split('\n')
    .map((line): Printed => JSON.parse(line));
}
