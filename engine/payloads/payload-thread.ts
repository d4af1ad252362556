import { parentPort } from 'node:worker_threads';
import { HatchetError, type ErrorCode, type HatchetErrorOptions } from '../errors.ts';
import { checkedJson } from '../model/payload.ts';

/** One text at a time; each is answered. */
export interface ToThread {
  text: string;
  /** Names it in the refusal. */
  what: string;
}

/** Null for a text that may be stored. */
export type FromThread = { code: ErrorCode; message: string; options: HatchetErrorOptions } | null;

/** Entry of the thread that checks long payloads. */
parentPort?.on('message', ({ text, what }: ToThread) => {
  parentPort?.postMessage(refusalOf(text, what));
});

function refusalOf(text: string, what: string): FromThread {
  try {
    checkedJson(text, what);
    return null;
  } catch (error) {
    if (!(error instanceof HatchetError)) throw error;
    const { code, message, remedy, details } = error;
    return { code, message, options: { details, ...(remedy === undefined ? {} : { remedy }) } };
  }
}
