import { HatchetError } from '../base/errors.ts';
import { isObject } from '../model/payload/is-object.ts';
import { maxJsonDepth } from '../model/payload/json-depth.ts';
import { checkDepth } from '../model/payload/check-payload.ts';

/** A payload in a body, as the JSON that is stored. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get isObject(): boolean {
    return this.text.startsWith('{');
  }
}

/** A body without its payloads, and where they belong: what another thread can hand over at little cost. */
export interface CutBody {
  rest: Record<string, unknown>;
  payloads: readonly Cut[];
}

interface Cut {
  /** Of the list `events`, where it is one of its items' member. */
  item: number | undefined;
  name: string;
  text: string;
}

const payloadNames = ['input', 'data', 'additionalMetadata', 'filterPayload'];

/** Levels around a payload: the body, a list of events, and one of them. */
const envelopeDepth = 10;

/** @throws HatchetError INVALID_ARGUMENT for what is no JSON object, or nested too deep */
export function parseObject(text: string): Record<string, unknown> {
  // What follows prints the payloads in it again, which is recursive.
  checkDepth(text, 'the body', maxJsonDepth + envelopeDepth);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new HatchetError(
      'INVALID_ARGUMENT',
      `the body is not valid JSON: ${cause instanceof Error ? cause.message.slice(0, 200) : String(cause)}`,
      { remedy: 'Send a JSON object.' },
    );
  }
  if (!isObject(value))
    throw new HatchetError('INVALID_ARGUMENT', 'the body is not a JSON object', { remedy: 'Send a JSON object.' });
  return value;
}

/** @throws HatchetError INVALID_ARGUMENT for what is no JSON object, or nested too deep */
export function cutBody(text: string): CutBody {
  const rest = parseObject(text);
  const payloads: Cut[] = [];
  const cut = (from: Record<string, unknown>, item: number | undefined): void => {
    for (const name of payloadNames) {
      if (!Object.hasOwn(from, name) || from[name] === null) continue;
      payloads.push({ item, name, text: JSON.stringify(from[name]) });
      Reflect.deleteProperty(from, name);
    }
  };
  cut(rest, undefined);
  if (Array.isArray(rest['events'])) {
    for (const [item, event] of rest['events'].entries()) if (isObject(event)) cut(event, item);
  }
  return { rest, payloads };
}

/** The body with each payload in its place, as a JsonText. */
export function joinBody({ rest, payloads }: CutBody): Record<string, unknown> {
  const events: unknown[] = Array.isArray(rest['events']) ? rest['events'] : [];
  for (const { item, name, text } of payloads) {
    const target = item === undefined ? rest : events[item];
    if (isObject(target)) target[name] = new JsonText(text);
  }
  return rest;
}
