import { isRecord } from '../../../project/json-value.ts';

/** Schemas may hold themselves. */
const deepest = 6;
/** Schemas looked at. Definitions that are used again and again within each other grow without it. */
const mostSchemas = 200;

interface Walk {
  /** Where references start. */
  root: unknown;
  depth: number;
  /** Definitions that this one is in. */
  open: ReadonlySet<string>;
  left: { schemas: number };
}

/** A value to begin with, from a JSON Schema: its default, example, first choice, or an empty one of its type. */
export function prefillInput(schema: unknown): unknown {
  return valueOf(schema, { root: schema, depth: 0, open: new Set(['#']), left: { schemas: mostSchemas } }) ?? {};
}

/** Nothing for a definition within itself: whoever holds it does without. */
function valueOf(schema: unknown, walk: Walk): unknown {
  if (!isRecord(schema) || walk.depth > deepest || walk.left.schemas <= 0) return {};
  walk.left.schemas--;
  if ('default' in schema) return schema['default'];
  if ('const' in schema) return schema['const'];
  for (const list of ['examples', 'enum'] as const) {
    const [first] = listOf(schema, list);
    if (first !== undefined) return first;
  }
  const { $ref: reference } = schema;
  if (typeof reference === 'string')
    return walk.open.has(reference)
      ? undefined
      : valueOf(referredTo(walk.root, reference), { ...walk, open: new Set(walk.open).add(reference) });
  const within = { ...walk, depth: walk.depth + 1 };
  for (const list of ['anyOf', 'oneOf'] as const) {
    const choices = listOf(schema, list);
    if (choices.length === 0) continue;
    for (const choice of choices) {
      const value = valueOf(choice, within);
      if (value !== undefined) return value;
    }
    return undefined;
  }
  const parts = listOf(schema, 'allOf').map((part) => valueOf(part, within));
  if (parts.length === 0) return emptyOf(schema, within);
  const [first] = parts;
  return parts.every(isRecord) ? Object.assign({}, emptyOf({ ...schema, type: 'object' }, within), ...parts) : first;
}

function listOf(schema: Record<string, unknown>, name: string): readonly unknown[] {
  const list = schema[name];
  return Array.isArray(list) ? list : [];
}

/** What `#/$defs/Name` names; other documents are not read. */
function referredTo(root: unknown, reference: string): unknown {
  if (!/^#(?:\/|$)/.test(reference)) return undefined;
  let found = root;
  for (const part of reference.split('/').slice(1)) {
    const name = decoded(part).replaceAll('~1', '/').replaceAll('~0', '~');
    found =
      (isRecord(found) || Array.isArray(found)) && Object.hasOwn(found, name) ? Reflect.get(found, name) : undefined;
  }
  return found;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** @param walk for what is in it */
function emptyOf(schema: Record<string, unknown>, walk: Walk): unknown {
  const named: unknown = Array.isArray(schema['type']) ? schema['type'][0] : schema['type'];
  switch (named) {
    case 'string':
      return '';
    case 'number':
    case 'integer':
      return numberOf(schema);
    case 'boolean':
      return false;
    case 'null':
      return null;
    case 'array':
      return [];
    default:
      break;
  }
  const { properties, required } = schema;
  if (!isRecord(properties)) return {};
  const wanted = Array.isArray(required) ? new Set<unknown>(required) : undefined;
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([name]) => wanted === undefined || wanted.size === 0 || wanted.has(name))
      .map(([name, property]) => [name, valueOf(property, walk)] as const)
      .filter(([, value]) => value !== undefined),
  );
}

/** 0, or the next number to it that the bounds allow. */
function numberOf({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: Record<string, unknown>): number {
  const least = Math.max(
    typeof minimum === 'number' ? minimum : -Infinity,
    typeof exclusiveMinimum === 'number' ? Math.floor(exclusiveMinimum) + 1 : -Infinity,
  );
  const most = Math.min(
    typeof maximum === 'number' ? maximum : Infinity,
    typeof exclusiveMaximum === 'number' ? Math.ceil(exclusiveMaximum) - 1 : Infinity,
  );
  return Math.min(Math.max(0, least), most);
}
