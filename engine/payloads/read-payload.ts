import { checkedJson } from '../model/payload/check-payload.ts';
import { cutBody, type CutBody } from './cut-body.ts';

/** A text to be read, and what for. `what` names it in a refusal. */
export type PayloadWork = { work: 'check'; text: string; what: string } | { work: 'body'; text: string };

/** The same in whichever thread it is done. @throws HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE */
export function readPayload(asked: PayloadWork): CutBody | undefined {
  if (asked.work === 'body') return cutBody(asked.text);
  checkedJson(asked.text, asked.what);
  return undefined;
}
