import { devLines } from './dev-line.ts';
import type { DevEvent } from '../events.ts';
import type { DevView } from '../dev-session.ts';
import { jsonText } from '../../output/plain-text.ts';

/** Where lines go: of a command's context, its two streams. */
interface LineStreams {
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
}

/** A session as plain lines: what runs do on stdout, all else on stderr. */
export function linesView({ stdout, stderr }: LineStreams): DevView {
  return {
    show(event) {
      for (const { stream, text } of devLines(event)) (stream === 'data' ? stdout : stderr).write(`${text}\n`);
    },
    stop: () => undefined,
  };
}

/** A session as one JSON object a line on stdout. */
export function ndjsonView({ stdout, stderr }: LineStreams): DevView {
  return {
    show(event) {
      const data = forPrograms(event);
      if (data !== undefined) stdout.write(`${jsonText(data)}\n`);
      if (event.type === 'engine-failed' || event.type === 'trigger-failed')
        for (const { text } of devLines(event)) stderr.write(`${text}\n`);
    },
    stop: () => undefined,
  };
}

/** Tokens and passwords stay out; errors become their message. */
function forPrograms(event: DevEvent): object | undefined {
  const time = new Date().toISOString();
  switch (event.type) {
    case 'engine-ready': {
      const { pid, version, grpc, http, startedAt } = event.engine;
      return {
        time,
        type: event.type,
        restarted: event.restarted,
        pid,
        version,
        startedAt,
        grpc: `${grpc.host}:${grpc.port}`,
        http: `${http.host}:${http.port}`,
      };
    }
    case 'engine-failed':
      return { time, type: event.type, message: event.error.message, remedy: event.error.remedy ?? null };
    case 'engine-stage':
      return { time, type: event.type, ...event.stage };
    case 'trigger-failed':
      return {
        time,
        type: event.type,
        workflow: event.workflow,
        message: event.error instanceof Error ? event.error.message : String(event.error),
      };
    case 'run-event':
      return { ...event.event, type: event.type, event: event.event.type };
    case 'build-done':
      return { time, type: event.type, changed: event.changed, ms: event.ms };
    case 'worker-inspector':
    case 'worker-loaded':
    case 'overview':
      return undefined;
    default:
      return { time, ...event };
  }
}
