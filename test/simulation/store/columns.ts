import { jsonbText } from './jsonb.ts';
import { refusal } from './refusal.ts';

/** A `bigint` is a number here, as in the engine; a `wide` one is a bigint that may be any, as text. Times are microseconds since 1970. */
interface Values {
  uuid: string;
  text: string;
  jsonb: string;
  smallint: number;
  integer: number;
  bigint: number;
  wide: string;
  boolean: boolean;
  timestamptz: number;
  'text[]': readonly string[];
}

export type ColumnType = keyof Values;
/** With a question mark where it may be NULL. */
export type ColumnSpec = ColumnType | `${ColumnType}?`;
export type Columns = Readonly<Record<string, ColumnSpec>>;

export type ValueOf<T extends ColumnType> = Values[T];
type ColumnValue<S extends ColumnSpec> = S extends `${infer T extends ColumnType}?`
  ? Values[T] | null
  : S extends ColumnType
    ? Values[S]
    : never;
export type RowOf<C extends Columns> = { readonly [K in keyof C]: ColumnValue<C[K]> };

export interface Spec {
  type: ColumnType;
  isNullable: boolean;
}

export function typeOf(spec: ColumnSpec): Spec {
  const isNullable = spec.endsWith('?');
  const name = isNullable ? spec.slice(0, -1) : spec;
  for (const type of types) if (type === name) return { type, isNullable };
  throw new Error(`there is no type ${spec}`);
}

const types: readonly ColumnType[] = [
  'uuid',
  'text',
  'jsonb',
  'smallint',
  'integer',
  'bigint',
  'wide',
  'boolean',
  'timestamptz',
  'text[]',
];

const kinds: { readonly [T in ColumnType]: 'string' | 'number' | 'boolean' | 'object' } = {
  uuid: 'string',
  text: 'string',
  jsonb: 'string',
  smallint: 'number',
  integer: 'number',
  bigint: 'number',
  wide: 'string',
  boolean: 'boolean',
  timestamptz: 'number',
  'text[]': 'object',
};

/** Whether these are the values of a row, each of its column's type. @param specs of the columns */
export function isOf<C extends Columns>(
  columns: C,
  specs: readonly (readonly [string, Spec])[],
  values: Readonly<Record<string, unknown>>,
): values is RowOf<C> {
  for (const name in values) if (!(name in columns)) return false;
  return specs.every(([name, { type, isNullable }]) => {
    const value = values[name];
    return value === null ? isNullable : typeof value === kinds[type];
  });
}

const uuidShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const integerShape = /^-?\d+$/;
const ranges = { smallint: 2 ** 15, integer: 2 ** 31, bigint: 2 ** 63 } as const;
const widest = 2n ** 63n;

/** A parameter's text as a value. @throws DatabaseError as Postgres does for a text that is none of the type */
const parsers: { readonly [T in ColumnType]: (text: string) => Values[T] } = {
  uuid: (text) => {
    const lower = text.toLowerCase();
    if (!uuidShape.test(lower)) throw invalid('uuid', text);
    return lower;
  },
  text: (text) => text,
  jsonb: jsonbText,
  smallint: (text) => integerOf('smallint', text),
  integer: (text) => integerOf('integer', text),
  bigint: (text) => integerOf('bigint', text),
  wide: (text) => {
    if (!integerShape.test(text)) throw invalid('bigint', text);
    const value = BigInt(text);
    if (value >= widest || value < -widest) throw outOfRange('bigint', text);
    return String(value);
  },
  boolean: (text) => {
    if (text === 't' || text === 'true') return true;
    if (text === 'f' || text === 'false') return false;
    throw invalid('boolean', text);
  },
  timestamptz: timestampOf,
  'text[]': () => {
    throw new Error('no statement has a parameter of this type');
  },
};

export function parseValue<T extends ColumnType>(type: T, text: string): Values[T] {
  return parsers[type](text);
}

function integerOf(type: keyof typeof ranges, text: string): number {
  if (!integerShape.test(text)) throw invalid(type, text);
  const value = Number(text);
  if (value >= ranges[type] || value < -ranges[type]) throw outOfRange(type, text);
  if (!Number.isSafeInteger(value)) throw new Error(`the model of the store has no bigint as large as ${text}`);
  return value;
}

function invalid(type: string, text: string): Error {
  return refusal('22P02', `invalid input syntax for type ${type}: "${text}"`);
}

function outOfRange(type: string, text: string): Error {
  return refusal('22003', `value "${text}" is out of range for type ${type}`);
}

/** As Postgres writes it in UTC. */
export function timestampText(us: number): string {
  const iso = new Date(Math.floor(us / 1_000_000) * 1000).toISOString();
  const fraction = String(us - Math.floor(us / 1_000_000) * 1_000_000).padStart(6, '0');
  const trimmed = fraction.replace(/0+$/, '');
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}${trimmed === '' ? '' : `.${trimmed}`}+00`;
}

function timestampOf(text: string): number {
  const [, day, time, fraction = ''] = /^(\S+) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\+00$/.exec(text) ?? [];
  if (day === undefined || time === undefined) throw invalid('timestamp with time zone', text);
  return Date.parse(`${day}T${time}Z`) * 1000 + Number(fraction.padEnd(6, '0'));
}

/** A value as `::text` gives it. */
export function valueText(type: ColumnType, value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (type === 'timestamptz' && typeof value === 'number') return timestampText(value);
  if (type === 'text[]' && Array.isArray(value)) return `{${value.map((item) => elementText(String(item))).join(',')}}`;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Error(`a column of type ${type} holds ${typeof value}`);
}

function elementText(text: string): string {
  const needsQuotes = text === '' || /[{}",\\\s]/.test(text) || text.toUpperCase() === 'NULL';
  return needsQuotes ? `"${text.replace(/["\\]/g, '\\$&')}"` : text;
}
