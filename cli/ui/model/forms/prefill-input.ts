import { isRecord } from '../../../project/json-value.ts';

/** Schemas may refer to themselves. */
const deepest = 6;

/** A value to begin with, from a JSON Schema: its default, example, first choice, or an empty one of its type. */
export function prefillInput(schema: unknown, depth = 0): unknown {
  if (!isRecord(schema) || depth > deepest) return {};
  if ('default' in schema) return schema['default'];
  if ('const' in schema) return schema['const'];
  for (const list of ['examples', 'enum'] as const) {
    const values = schema[list];
    if (Array.isArray(values) && values.length > 0) {
      const [first]: readonly unknown[] = values;
      return first;
    }
  }
  for (const list of ['anyOf', 'oneOf'] as const) {
    const choices = schema[list];
    if (Array.isArray(choices) && choices.length > 0) {
      const [first]: readonly unknown[] = choices;
      return prefillInput(first, depth + 1);
    }
  }
  return emptyOf(schema, depth);
}

function emptyOf(schema: Record<string, unknown>, depth: number): unknown {
  const named: unknown = Array.isArray(schema['type']) ? schema['type'][0] : schema['type'];
  switch (named) {
    case 'string':
      return '';
    case 'number':
    case 'integer':
      return typeof schema['minimum'] === 'number' ? schema['minimum'] : 0;
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
      .map(([name, property]) => [name, prefillInput(property, depth + 1)]),
  );
}
