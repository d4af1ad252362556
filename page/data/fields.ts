import { isRecord } from '../../cli/project/json-value.ts';

/** A message of the monitoring service as JSON. What is absent reads as the value that the protocol gives it. */
export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown): Fields {
  return isRecord(value) ? value : {};
}

export function text(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : '';
}

/** Null where it is absent. */
export function optional(fields: Fields, name: string): string | null {
  const value = fields[name];
  return typeof value === 'string' ? value : null;
}

/** 64-bit numbers come as text. */
export function count(fields: Fields, name: string): number {
  const value = Number(fields[name] ?? 0);
  return Number.isFinite(value) ? value : 0;
}

export function optionalCount(fields: Fields, name: string): number | undefined {
  return fields[name] === undefined || fields[name] === null ? undefined : count(fields, name);
}

export function flag(fields: Fields, name: string): boolean {
  return fields[name] === true;
}

export function list<T>(fields: Fields, name: string, read: (item: Fields) => T): T[] {
  const value = fields[name];
  return Array.isArray(value) ? value.map((item: unknown) => read(fieldsOf(item))) : [];
}

export function texts(fields: Fields, name: string): string[] {
  const value = fields[name];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}
