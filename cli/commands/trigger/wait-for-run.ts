import type { CliContext } from '../../cli-context.ts';
import { CliError } from '../../cli-error.ts';
import { resolveConnection, type ConnectionFlags } from '../../connection/resolve-connection.ts';
import { ExitCode } from '../../exit-codes.ts';
import { followEvents } from '../../monitor/follow-events.ts';
import { openReader } from '../../monitor/open-reader.ts';
import type { RunReader } from '../../monitor/run-reader.ts';
import { runFailure, runOutput } from '../../monitor/run-output.ts';
import { causeText } from '../../output/cause-text.ts';
import { eventLine } from '../../output/event-line.ts';
import { leftOutLines } from '../../output/left-out.ts';
import type { Output } from '../../output/output.ts';
import { jsonText } from '../../output/plain-text.ts';

export interface WaitOptions {
  runId: string;
  flags: ConnectionFlags;
  output: Output;
}

/** A restarting engine is waited for this long. */
const patienceMs = 60_000;
/** A run that stands still for so long is asked why, once: mostly no worker runs. */
const stillMs = 3_000;

/** @returns to be called when the run moves, and with `true` when it has ended */
function noteCause(connect: () => RunReader, { runId, output }: WaitOptions): (ended?: boolean) => void {
  const ask = async (): Promise<void> => {
    const reader = connect();
    try {
      const { tasks } = await reader.getRun(runId);
      for (const { name, cause } of tasks) if (cause !== null) output.note(`${name} waits: ${causeText(cause)}`);
    } finally {
      reader.close();
    }
  };
  let timer: NodeJS.Timeout | undefined;
  let asked = false;
  return (ended = false) => {
    clearTimeout(timer);
    if (ended || asked) return;
    timer = setTimeout(() => {
      asked = true;
      ask().catch(() => undefined); // whoever follows the run tells of an engine that is away
    }, stillMs);
  };
}

/** Follows a run on stderr; prints its output. @returns by the run's outcome */
export async function waitForRun(context: CliContext, { runId, flags, output }: WaitOptions): Promise<ExitCode> {
  const connect = (): RunReader => openReader(resolveConnection(context, flags));
  output.note(`run ${runId}`);
  const batches = followEvents(
    connect,
    { runId },
    {
      signal: context.interrupted,
      patienceMs,
      onLost: (why) => output.warn(`${why}; waiting for it`),
      onBack: () => output.note('connected again'),
    },
  );
  const moved = noteCause(connect, { runId, flags, output });
  try {
    moved();
    for await (const { events } of batches) {
      if (events.length > 0) moved();
      for (const event of events) output.note(eventLine(event));
    }
  } finally {
    moved(true);
  }
  if (context.interrupted.aborted) {
    output.note(`The run goes on. Follow it with \`hatchet runs tail ${runId}\`.`);
    return ExitCode.interrupted;
  }
  const reader = connect();
  try {
    const detail = await reader.getRun(runId);
    if (detail.run.status !== 'COMPLETED') {
      throw new CliError(`run ${runId} is ${detail.run.status}: ${runFailure(detail)}`, {
        exitCode: ExitCode.failed,
        remedy: `See \`hatchet runs get ${runId}\`.`,
      });
    }
    for (const line of leftOutLines(detail)) output.warn(line);
    const result = runOutput(detail);
    output.value(result, () => jsonText(result, 2));
    return ExitCode.done;
  } finally {
    reader.close();
  }
}
