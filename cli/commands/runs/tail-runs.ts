import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import { resolveConnection, type ConnectionFlags } from '../../connection/resolve-connection.ts';
import { ExitCode } from '../../exit-codes.ts';
import { followEvents, type FollowHooks } from '../../monitor/follow-events.ts';
import { followLogs } from '../../monitor/follow-logs.ts';
import { openReader } from '../../monitor/open-reader.ts';
import type { EventRow, LogRow, RunReader } from '../../monitor/run-reader.ts';
import { eventLine, logLineText } from '../../output/event-line.ts';
import type { Output } from '../../output/output.ts';

export interface TailFlags extends ConnectionFlags, OutputFlag {
  workflow?: string[];
  after?: string;
}

export async function tailRuns(context: CliContext, runId: string | undefined, flags: TailFlags): Promise<ExitCode> {
  const output = outputOf(context, flags);
  const connect = (): RunReader => openReader(resolveConnection(context, flags));
  const hooks: FollowHooks = {
    signal: context.interrupted,
    patienceMs: Number.POSITIVE_INFINITY, // a tail waits for its engine until it is interrupted
    onLost: (why) => output.warn(`${why}; waiting for the engine`),
    onBack: () => output.note('connected again'),
  };
  const options = {
    ...(flags.workflow === undefined ? {} : { workflows: flags.workflow }),
    ...(flags.after === undefined ? {} : { after: flags.after }),
  };
  if (runId === undefined) {
    for await (const { events } of followEvents(connect, options, hooks))
      for (const event of events) printEvent(output, event, true);
  } else {
    const run = await oneRun(connect, runId);
    // Both streams end by themselves once the run has ended.
    await Promise.all([
      printEvents(output, followEvents(connect, { ...options, runId: run }, hooks)),
      printLogs(output, { runId: run, lines: followLogs(connect, run, hooks) }),
    ]);
  }
  return context.interrupted.aborted ? ExitCode.interrupted : ExitCode.done;
}

/** @throws ServerError for an unknown run; a task's id finds its run */
async function oneRun(connect: () => RunReader, id: string): Promise<string> {
  const reader = connect();
  try {
    return (await reader.getRun(id)).run.runId;
  } finally {
    reader.close();
  }
}

async function printEvents(output: Output, batches: ReturnType<typeof followEvents>): Promise<void> {
  for await (const { events } of batches) for (const event of events) printEvent(output, event, false);
}

function printEvent(output: Output, event: EventRow, withRun: boolean): void {
  const { cursor, time, runId, workflow, task, attempt, type, status, message } = event;
  output.item({ cursor, time, runId, workflow, task, attempt, type, status, message }, () =>
    eventLine(event, { withRun }),
  );
}

async function printLogs(
  output: Output,
  { runId, lines }: { runId: string; lines: AsyncIterable<readonly LogRow[]> },
): Promise<void> {
  for await (const batch of lines) {
    for (const line of batch) {
      const { cursor, time, task, attempt, level, message } = line;
      output.item(
        { cursor, time, runId, workflow: null, task, attempt, type: 'LOG', status: null, level, message },
        () => logLineText(line),
      );
    }
  }
}
