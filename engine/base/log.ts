import { pino, type Logger } from 'pino';

export type { Logger } from 'pino';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** The engine's log: JSON lines to stderr, so that stdout stays free for data. Synchronous, so that a crash loses no line. */
export function createLog(level: LogLevel): Logger {
  return pino(
    { hooks: { streamWrite: escapeHidden }, level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
}

/** Control and invisible characters that JSON may hold as they are: whoever reads the log in a terminal must not be led by what a worker sent. */
const hidden = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

function escapeHidden(line: string): string {
  return line.replaceAll(hidden, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
