import { uncaptured } from './console-capture.ts';
import { messageOf } from './failure/describe-failure.ts';
import { isThenable } from './thenable.ts';

/** The least serious lines that are written. */
export type LogLevel = 'OFF' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';

export type LogExtra = Record<string, unknown>;

/** Where the SDK writes its own lines. Give one with `Hatchet.init({ logger })`. */
export interface Logger {
  debug(message: string, extra?: LogExtra): void | Promise<void>;
  info(message: string, extra?: LogExtra): void | Promise<void>;
  warn(message: string, error?: Error, extra?: LogExtra): void | Promise<void>;
  error(message: string, error?: Error, extra?: LogExtra): void | Promise<void>;
}

/** Makes the logger of one part of the SDK, such as `Worker/my-worker`. */
export type LogConstructor = (context: string, logLevel?: LogLevel) => Logger;

const ranks: Record<LogLevel, number> = { DEBUG: 0, INFO: 1, WARN: 2, ERROR: 3, OFF: 4 };

/** A level from the environment or a configuration, whatever its case. */
export function parseLogLevel(text: string | undefined): LogLevel | undefined {
  const upper = text?.toUpperCase();
  return upper !== undefined && isLogLevel(upper) ? upper : undefined;
}

function isLogLevel(text: string): text is LogLevel {
  return Object.hasOwn(ranks, text);
}

/** Plain lines on stderr: stdout belongs to the program. */
export const plainLogger: LogConstructor = (context, logLevel = 'INFO') => {
  const write = (level: LogLevel, message: string, error?: Error): void => {
    if (ranks[level] < ranks[logLevel]) return;
    const detail = error === undefined ? '' : `: ${messageOf(error)}`;
    process.stderr.write(`${new Date().toISOString()} ${level.padEnd(5)} ${context}: ${message}${detail}\n`);
  };
  return {
    debug: (message) => write('DEBUG', message),
    info: (message) => write('INFO', message),
    warn: (message, error) => write('WARN', message, error),
    error: (message, error) => write('ERROR', message, error),
  };
};

/** A logger whose lines may be lost, but which never throws and never rejects: what runs tasks must not end for want of a line. */
export function guardedLogger(logger: Logger): Logger {
  const failed = (error: unknown): void =>
    void process.stderr.write(`${new Date().toISOString()} ERROR the logger failed: ${messageOf(error)}\n`);
  const guarded = (write: () => void | Promise<void>): void | Promise<void> => {
    try {
      // One that prints to the console must not have what a task has logged come back as another line of it.
      const written: unknown = uncaptured(write);
      // Nothing vouches for what a logger gives.
      return isThenable(written) ? Promise.resolve(written).then(() => undefined, failed) : undefined;
    } catch (error) {
      failed(error);
    }
  };
  return {
    debug: (message, extra) => guarded(() => logger.debug(message, extra)),
    info: (message, extra) => guarded(() => logger.info(message, extra)),
    warn: (message, error, extra) => guarded(() => logger.warn(message, error, extra)),
    error: (message, error, extra) => guarded(() => logger.error(message, error, extra)),
  };
}
