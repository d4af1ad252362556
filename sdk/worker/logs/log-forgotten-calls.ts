import type { LogLine } from '../../context/context-host.ts';
import { messageOf } from '../../failure/describe-failure.ts';
import { ForgottenCalls } from '../../run/forgotten-calls.ts';

/** What a task begins and never comes to fails into its log. */
export function logForgottenCalls(write: (line: LogLine) => void): ForgottenCalls {
  const warn = (message: string): void => write({ at: new Date(), level: 'WARN', message, metadata: '{}' });
  return new ForgottenCalls(
    (reason) => warn(`a call of this task failed, and nothing waited for it: ${messageOf(reason)}`),
    (count) => warn(`${count} more calls of this task failed, and nothing waited for them`),
  );
}
