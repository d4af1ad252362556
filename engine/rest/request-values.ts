import type { Context } from 'hono';
import { HatchetError } from '../errors.ts';
import { maxJsonDepth } from '../model/json-depth.ts';
import { checkDepth } from '../model/payload.ts';
import { parseUuid } from '../model/uuid.ts';
import type { RestEnv } from './deps.ts';

type Request = Context<RestEnv>['req'];

function invalid(name: string, value: string, expected: string): HatchetError {
  return new HatchetError('INVALID_ARGUMENT', `${name} is ${JSON.stringify(value)}`, { remedy: `Give ${expected}.` });
}

/** @throws HatchetError INVALID_ARGUMENT */
export function integerQuery(request: Request, name: string, options: { fallback: number; least: number; most: number }): number {
  const text = request.query(name);
  if (text === undefined || text === '') return options.fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < options.least || value > options.most) throw invalid(name, text, `a whole number from ${options.least} to ${options.most}`);
  return value;
}

/** @throws HatchetError INVALID_ARGUMENT */
export function dateQuery(request: Request, name: string): Date | undefined {
  const text = request.query(name);
  return text === undefined || text === '' ? undefined : parseDate(name, text);
}

export function parseDate(name: string, text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw invalid(name, text, 'a time such as 2026-01-31T12:00:00Z');
  // Ids carry 48 bits of milliseconds: what lies outside is as good as the ends.
  return new Date(Math.min(Math.max(date.getTime(), 0), 2 ** 48 - 1));
}

/** @throws HatchetError INVALID_ARGUMENT */
export function uuidQuery(request: Request, name: string): string | null {
  const text = request.query(name);
  return text === undefined || text === '' ? null : uuidOf(name, text);
}

export function uuidOf(name: string, text: string): string {
  const uuid = parseUuid(text);
  if (uuid === undefined) throw invalid(name, text, 'a UUID');
  return uuid;
}

export function listQuery(request: Request, name: string): string[] {
  return (request.queries(name) ?? []).filter((value) => value !== '');
}

export function booleanQuery(request: Request, name: string): boolean | undefined {
  const text = request.query(name);
  if (text === undefined || text === '') return undefined;
  if (text !== 'true' && text !== 'false') throw invalid(name, text, 'true or false');
  return text === 'true';
}

/** Levels around a payload: the body, a list of events, and one of them. */
const envelopeDepth = 10;

/** The body, a JSON object. @throws HatchetError INVALID_ARGUMENT */
export async function objectBody(request: Request): Promise<Record<string, unknown>> {
  const text = await request.text();
  // What follows prints the payloads in it again, which is recursive.
  checkDepth(text, 'the body', maxJsonDepth + envelopeDepth);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new HatchetError('INVALID_ARGUMENT', `the body is not valid JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause, remedy: 'Send a JSON object.' });
  }
  if (!isObject(value)) throw new HatchetError('INVALID_ARGUMENT', 'the body is not a JSON object', { remedy: 'Send a JSON object.' });
  return value;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An optional list of strings in a body. @throws HatchetError INVALID_ARGUMENT */
export function stringList(name: string, value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (!isStringList(value)) throw new HatchetError('INVALID_ARGUMENT', `${name} is not a list of strings`, { remedy: 'Send a list of strings, or leave it out.' });
  if (value.some((item) => item.includes('\0'))) throw new HatchetError('INVALID_ARGUMENT', `${name} holds a NUL character`, { remedy: 'Remove \\u0000: Postgres cannot store it.' });
  return value;
}

function isStringList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
