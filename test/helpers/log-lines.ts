import { pino } from 'pino';
import type { Logger } from '../../engine/base/log.ts';

/** A log whose lines a test reads. */
export function logLines(level = 'info'): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  return { log: pino({ level }, { write: (line: string) => void lines.push(JSON.parse(line)) }), lines };
}
