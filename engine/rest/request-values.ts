import type { Context } from 'hono';
import { id } from '../edge/parse/id.ts';
import { invalid, quoted } from '../edge/parse/invalid.ts';
import { atMost } from '../edge/parse/list.ts';
import { search, texts } from '../edge/parse/selection.ts';
import { dateText, bound } from '../edge/parse/time.ts';
import { text } from '../edge/parse/text.ts';
import { markChecked, type Checked } from '../model/checked.ts';
import { JsonText, parseObject } from '../payloads/cut-body.ts';
import type { PayloadReader } from '../payloads/payload-reader.ts';
import type { RestEnv } from './deps.ts';

type Request = Context<RestEnv>['req'];

/** @throws HatchetError INVALID_ARGUMENT */
export function integerQuery(
  request: Request,
  name: string,
  options: { fallback: number; least: number; most: number },
): Checked<number> {
  const given = request.query(name);
  if (given === undefined || given === '') return markChecked(options.fallback);
  const value = Number(given);
  if (!Number.isInteger(value) || value < options.least || value > options.most)
    throw invalid(`${name} is ${quoted(given)}`, `Give a whole number from ${options.least} to ${options.most}.`);
  return markChecked(value);
}

/** Rows that a page by number passes over, and how many it holds. @throws HatchetError INVALID_ARGUMENT */
export function pageQuery(
  request: Request,
  options: { fallback?: number; most?: number } = {},
): { offset: Checked<number>; limit: Checked<number> } {
  return {
    offset: integerQuery(request, 'offset', { fallback: 0, least: 0, most: 1_000_000 }),
    limit: integerQuery(request, 'limit', { fallback: options.fallback ?? 50, least: 1, most: options.most ?? 1000 }),
  };
}

/** A bound in time; what lies outside of what ids can hold is as good as the ends. @throws HatchetError INVALID_ARGUMENT */
export function dateQuery(request: Request, name: string): Date | undefined {
  const given = request.query(name);
  return given === undefined || given === '' ? undefined : boundText(given, name);
}

/** @throws HatchetError INVALID_ARGUMENT */
export function boundText(given: string, name: string): Date {
  return new Date(bound(dateText(given, name), name));
}

/** @throws HatchetError INVALID_ARGUMENT */
export function uuidQuery(request: Request, name: string): Checked<string> | null {
  const given = request.query(name);
  return given === undefined || given === '' ? null : id(given, name);
}

/** @throws HatchetError INVALID_ARGUMENT */
export function textQuery(request: Request, name: string): Checked<string> | null {
  return search(request.query(name));
}

/** @throws HatchetError INVALID_ARGUMENT */
export function listQuery(request: Request, name: string): Checked<string>[] {
  return texts(
    (request.queries(name) ?? []).filter((value) => value !== ''),
    name,
  );
}

/** @throws HatchetError INVALID_ARGUMENT */
export function booleanQuery(request: Request, name: string): boolean | undefined {
  const given = request.query(name);
  if (given === undefined || given === '') return undefined;
  if (given !== 'true' && given !== 'false') throw invalid(`${name} is ${quoted(given)}`, 'Give true or false.');
  return given === 'true';
}

/** The body, a JSON object. @throws HatchetError INVALID_ARGUMENT */
export async function objectBody(request: Request): Promise<Record<string, unknown>> {
  return parseObject(await request.text());
}

/** A body whose payloads may be long: each is a JsonText. @throws HatchetError INVALID_ARGUMENT */
export async function bodyWithPayloads(
  context: Context<RestEnv>,
  payloads: PayloadReader,
): Promise<Record<string, unknown>> {
  return payloads.body(context.get('caller').tenantId, await context.req.text());
}

/** A payload of such a body, as JSON; undefined where it is left out. @throws HatchetError INVALID_ARGUMENT */
export function payloadMember(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return value instanceof JsonText ? value.text : JSON.stringify(value);
}

/** The same for one that has to be an object. @throws HatchetError INVALID_ARGUMENT */
export function objectMember(value: unknown, name: string): string | undefined {
  if (value !== undefined && !(value instanceof JsonText && value.isObject))
    throw invalid(`${name} is not an object`, 'Send an object.');
  return value?.text;
}

/** A text of a body. @throws HatchetError INVALID_ARGUMENT */
export function textMember(
  value: unknown,
  name: string,
  options: { least?: number; most?: number } = {},
): Checked<string> {
  if (typeof value !== 'string')
    throw invalid(`${name} is ${value === undefined ? 'missing' : 'not a text'}`, 'Give it as a string.');
  return text(value, name, options);
}

/** An id of a body. @throws HatchetError INVALID_ARGUMENT */
export function idMember(value: unknown, name: string): Checked<string> {
  return id(textMember(value, name), name);
}

/** Ids and names that one body lists. */
const mostItems = 100_000;

/** An optional list of strings in a body. @throws HatchetError INVALID_ARGUMENT */
export function stringList(name: string, value: unknown, most = mostItems): Checked<string>[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value))
    throw invalid(`${name} is not a list of strings`, 'Send a list of strings, or leave it out.');
  return atMost(value, name, most).map((item: unknown) => textMember(item, `one of ${name}`));
}
