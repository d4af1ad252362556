import { eventLine } from '../../output/event-line.ts';
import { jsonText, plainLines, plainText } from '../../output/plain-text.ts';
import { reportError } from '../../output/report-error.ts';
import { msText } from '../../output/time-text.ts';
import type { DevEvent, Problem } from '../events.ts';
import type { UnderWay } from '../trouble/tasks-under-way.ts';

/** What a session's event is to a person who reads lines. Data is what runs did; the rest is about the session. */
export interface DevLine {
  stream: 'data' | 'message';
  text: string;
}

const shownProblems = 10;

/** @returns lines as they may go to a terminal, whatever names and values came with the event */
export function devLines(event: DevEvent): readonly DevLine[] {
  return linesOf(event).map(({ stream, text }) => ({ stream, text: plainLines(text) }));
}

function linesOf(event: DevEvent): readonly DevLine[] {
  switch (event.type) {
    case 'engine-stage':
      return event.stage.status === 'done'
        ? [message(`✓ ${event.stage.stage.padEnd(10)} ${msText(event.stage.ms).padStart(8)}  ${event.stage.detail}`)]
        : [];
    case 'engine-ready':
      return event.restarted ? [message('✓ the engine is back; nothing was lost')] : [];
    case 'engine-failed':
      return [message(reportError(event.error).text)];
    case 'engine-exited':
      return [
        message(
          `! the engine ended (${event.signal ?? `exit code ${event.code}`}); it starts again in ${msText(event.retryInMs)}`,
        ),
        message('  what was acknowledged is stored, and running tasks go on'),
      ];
    case 'engine-trouble':
      return [message(`! ${event.trouble.text}`), message(`  ${event.trouble.remedy}`)];
    case 'engine-recovered':
      return [message('✓ Postgres is back; nothing was lost')];
    case 'files-changed':
      return [];
    case 'build-started':
      return [];
    case 'build-done':
      return event.changed ? [message(`✓ modules    ${msText(event.ms).padStart(8)}`)] : [];
    case 'build-failed':
      return [
        message(`✗ the worker was not built; ${event.isFirst ? 'none serves yet' : 'the last good one keeps serving'}`),
        ...problems(event.problems),
      ];
    case 'reload-held':
      return [
        message(
          `! the worker writes ${event.files.map((file) => plainText(file)).join(', ')} each time that it starts, and imports it: it was started 3 times for that, and waits for another change`,
        ),
        message('  Write the file elsewhere, or read it in place of importing it.'),
      ];
    case 'types-checked':
      return event.problems.length === 0
        ? []
        : [
            message(
              `! ${event.problems.length} type ${event.problems.length === 1 ? 'error' : 'errors'}; the code runs nevertheless`,
            ),
            ...problems(event.problems),
          ];
    case 'worker-starting':
      return [];
    case 'worker-ready':
      return [
        message(
          `✓ worker     ${msText(event.ms).padStart(8)}  serving${event.generation > 1 ? `, reload ${event.generation - 1}` : ''}`,
        ),
      ];
    case 'worker-draining':
      return event.replaced ? [message('  the worker before it finishes its tasks')] : [];
    case 'worker-stopped':
      return [];
    case 'worker-exited':
      return workerExited(event);
    case 'inspector-ready':
      return [
        message(`  debugger   ${event.address}, across reloads (chrome://inspect, or attach your editor with restart)`),
      ];
    case 'worker-inspector':
    case 'worker-loaded':
      return [];
    case 'worker-line':
      return [message(`worker │ ${plainText(event.line)}`)];
    case 'run-event':
      return [{ stream: 'data', text: eventLine(event.event, { withRun: true }) }];
    case 'durable-mismatch':
      return [
        message(
          plainText(
            `✗ run ${event.runId} of ${event.workflow} does not fit the code any more: node ${event.node} of its log holds ${event.recorded}, and the code asks for ${event.asked}`,
          ),
        ),
        message(`  from there on by the new code: hatchet runs branch ${event.runId} --node ${event.node}`),
        message("  both ways in the code: if (await ctx.patched('my-change')) … else …"),
        message(plainText(`  from the start: hatchet trigger workflow ${event.workflow}`)),
      ];
    case 'overview':
      return [];
    case 'feed-lost':
      return [message(`! ${plainText(event.why)}`)];
    case 'feed-back':
      return [];
    case 'triggered':
      return [message(`▶ triggered ${event.workflow}, run ${event.runId}`)];
    case 'trigger-failed':
      return [message(reportError(event.error).text)];
    case 'run-finished':
      return event.outcome === 'COMPLETED'
        ? [{ stream: 'data', text: jsonText(event.output) }]
        : [message(`✗ run ${event.runId} is ${event.outcome}: ${plainText(event.failure ?? '')}`)];
    case 'reload-requested':
    case 'quit-requested':
      return [];
    case 'interrupted':
      return [];
    case 'stopping':
      return stopping(event.underWay);
    case 'run-interrupted':
      return [message(plainText(`  it had run ${event.runId} of ${event.workflow}, which goes to another worker`))];
  }
}

function message(text: string): DevLine {
  return { stream: 'message', text };
}

function problems(list: readonly Problem[]): DevLine[] {
  const lines = list
    .slice(0, shownProblems)
    .map((problem) => message(`  ${problem.file}:${problem.line}:${problem.column}  ${plainText(problem.message)}`));
  return list.length > shownProblems ? [...lines, message(`  and ${list.length - shownProblems} more`)] : lines;
}

const shownTasks = 5;

function stopping(underWay: readonly UnderWay[]): DevLine[] {
  const what =
    underWay.length === 0
      ? 'workers, engine and Postgres end'
      : `waiting for ${underWay.length} ${underWay.length === 1 ? 'task' : 'tasks'} to finish`;
  const tasks = underWay
    .slice(0, shownTasks)
    .map(({ task, workflow, runId, startedAtMs }) =>
      message(
        plainText(
          `  ${task === '' ? workflow : task}, run ${runId}, for ${msText(Math.max(0, Date.now() - startedAtMs))}`,
        ),
      ),
    );
  return [
    message(`stopping: ${what}; Ctrl+C again ends at once`),
    ...tasks,
    ...(underWay.length > shownTasks ? [message(`  and ${underWay.length - shownTasks} more`)] : []),
  ];
}

/** The lines that it printed stand above already. */
function workerExited(event: Extract<DevEvent, { type: 'worker-exited' }>): DevLine[] {
  const { exit, reason, retryInMs, serves, waitsForChange } = event;
  const how =
    exit.signal === null
      ? exit.code === 0
        ? 'ended by itself (exit code 0); its program has to end in starting a worker'
        : exit.code === null
          ? 'could not be started'
          : `crashed (exit code ${exit.code})`
      : `was killed (${exit.signal})`;
  const why =
    reason === undefined
      ? ''
      : `: ${plainText(reason.message)}${reason.place === undefined ? '' : `, at ${plainText(reason.place)}`}`;
  const next =
    retryInMs !== null
      ? `it starts again in ${msText(retryInMs)}`
      : waitsForChange
        ? 'it starts again when a file changes'
        : 'it is not started again';
  return [
    message(`✗ the worker ${how}${why}`),
    message(`  ${serves ? 'the last good one keeps serving' : 'none serves until then'}; ${next}`),
  ];
}
