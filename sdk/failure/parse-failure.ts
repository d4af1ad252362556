import { safely, textFieldOf } from './safe-reads.ts';

/** What the engine says of a task that failed. */
export interface ToldFailure {
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
}

/** It is `{"message", "stack"}` where an SDK made it, of ours with a `code`, and plain text where the engine did. */
export function toldFailure(text: string): ToldFailure {
  const payload: unknown = safely(() => JSON.parse(text), undefined);
  const message = textFieldOf(payload, 'message');
  if (message === undefined) return { message: text, stack: undefined, code: undefined };
  return { message, stack: textFieldOf(payload, 'stack'), code: textFieldOf(payload, 'code') };
}

/** The message alone. */
export function toldMessage(text: string): string {
  return toldFailure(text).message;
}
