import { parentPort } from 'node:worker_threads';
import { HatchetError, type ErrorCode, type HatchetErrorOptions } from '../base/errors.ts';
import { lowerPriorityOfThread } from '../base/lower-priority.ts';
import type { CutBody } from './cut-body.ts';
import { readPayload, type PayloadWork } from './read-payload.ts';

export type FromThread =
  | { done: CutBody | undefined }
  | { refusal: { code: ErrorCode; message: string; options: HatchetErrorOptions } };

lowerPriorityOfThread();

/** Entry of the thread that reads long payloads: one at a time, and each is answered. */
parentPort?.on('message', (asked: PayloadWork) => {
  parentPort?.postMessage(answerTo(asked));
});

function answerTo(asked: PayloadWork): FromThread {
  try {
    return { done: readPayload(asked) };
  } catch (error) {
    if (!(error instanceof HatchetError)) throw error;
    const { code, message, remedy, details } = error;
    return { refusal: { code, message, options: { details, ...(remedy === undefined ? {} : { remedy }) } } };
  }
}
