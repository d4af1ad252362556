import { eventLine } from '../output/event-line.ts';
import { jsonText, plainLines, plainText } from '../output/plain-text.ts';
import { reportError } from '../output/report-error.ts';
import { msText } from '../output/span-text.ts';
import type { DevEvent, Problem } from './events.ts';

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
      return event.stage.status === 'done' ? [message(`✓ ${event.stage.stage.padEnd(10)} ${msText(event.stage.ms).padStart(8)}  ${event.stage.detail}`)] : [];
    case 'engine-ready':
      return event.restarted ? [message('✓ the engine is back; nothing was lost')] : [];
    case 'engine-failed':
      return [message(reportError(event.error).text)];
    case 'engine-exited':
      return [message(`! the engine ended (${event.signal ?? `exit code ${event.code}`}); it starts again in ${msText(event.retryInMs)}`)];
    case 'files-changed':
      return [];
    case 'build-started':
      return [];
    case 'build-done':
      return event.changed ? [message(`✓ modules    ${msText(event.ms).padStart(8)}`)] : [];
    case 'build-failed':
      return [message(`✗ the worker was not built; ${event.isFirst ? 'none serves yet' : 'the last good one keeps serving'}`), ...problems(event.problems)];
    case 'types-checked':
      return event.problems.length === 0 ? [] : [message(`! ${event.problems.length} type ${event.problems.length === 1 ? 'error' : 'errors'}; the code runs nevertheless`), ...problems(event.problems)];
    case 'worker-starting':
      return [];
    case 'worker-ready':
      return [message(`✓ worker     ${msText(event.ms).padStart(8)}  serving${event.generation > 1 ? `, reload ${event.generation - 1}` : ''}`)];
    case 'worker-draining':
      return event.replaced ? [message('  the worker before it finishes its tasks')] : [];
    case 'worker-stopped':
      return [];
    case 'worker-exited':
      return workerExited(event);
    case 'worker-loaded':
      return [];
    case 'worker-line':
      return [message(`worker │ ${plainText(event.line)}`)];
    case 'run-event':
      return [{ stream: 'data', text: eventLine(event.event, { withRun: true }) }];
    case 'durable-mismatch':
      return [
        message(plainText(`✗ run ${event.runId} of ${event.workflow} does not fit the code any more: node ${event.node} of its log holds ${event.recorded}, and the code asks for ${event.asked}`)),
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
      return event.outcome === 'COMPLETED' ? [{ stream: 'data', text: jsonText(event.output) }] : [message(`✗ run ${event.runId} is ${event.outcome}: ${plainText(event.failure ?? '')}`)];
    case 'reload-requested':
    case 'quit-requested':
      return [];
    case 'interrupted':
      return [message('stopping: workers finish their tasks; Ctrl+C again ends at once')];
  }
}

function message(text: string): DevLine {
  return { stream: 'message', text };
}

function problems(list: readonly Problem[]): DevLine[] {
  const lines = list.slice(0, shownProblems).map((problem) => message(`  ${problem.file}:${problem.line}:${problem.column}  ${plainText(problem.message)}`));
  return list.length > shownProblems ? [...lines, message(`  and ${list.length - shownProblems} more`)] : lines;
}

function workerExited(event: Extract<DevEvent, { type: 'worker-exited' }>): DevLine[] {
  const { code, signal, lastLines } = event.exit;
  const how = signal === null ? (code === 0 ? 'ended by itself (exit code 0); its program has to end in starting a worker' : `crashed (exit code ${code})`) : `was killed (${signal})`;
  const next = event.retryInMs === null ? 'it starts again when a file changes' : `it starts again in ${msText(event.retryInMs)}`;
  const tail = lastLines.map((line) => message(`  │ ${plainText(line)}`));
  return [message(`✗ the worker ${how}; its tasks are given to other workers; ${next}`), ...(tail.length > 0 ? [message('  its last lines:'), ...tail] : [])];
}
