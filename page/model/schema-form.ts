import { isRecord } from '../../cli/project/json-value.ts';
import { prefillInput } from '../../cli/ui/model/forms/prefill-input.ts';

/** A part of a form, as a JSON Schema describes it. */
export type Field = FieldBase &
  (
    | { kind: 'text'; isLong: boolean; format: string | undefined }
    | { kind: 'number'; isInteger: boolean }
    | { kind: 'boolean' }
    | { kind: 'choice'; choices: readonly unknown[] }
    | { kind: 'object'; fields: readonly Field[] }
    | { kind: 'list'; item: Field }
    /** What a form cannot show, such as a choice of objects: it is written as JSON. */
    | { kind: 'json' }
  );

interface FieldBase {
  /** Empty at the top, and of a list's item. */
  name: string;
  title: string;
  description: string;
  isRequired: boolean;
  isNullable: boolean;
  /** What it has once it is put in. */
  initial: unknown;
}

/** Schemas may hold themselves: what lies deeper is written as JSON. */
const deepest = 6;
/** Schemas that one form is made of. */
const mostFields = 300;

interface Walk {
  root: unknown;
  depth: number;
  left: { fields: number };
}

/** @returns undefined where there is no schema, or none of an object: then there is JSON alone */
export function formOf(schema: unknown): (Field & { kind: 'object' }) | undefined {
  const walk: Walk = { root: schema, depth: 0, left: { fields: mostFields } };
  const field = fieldOf(schema, { name: '', isRequired: true }, walk);
  return field.kind === 'object' && field.fields.length > 0 ? field : undefined;
}

function fieldOf(given: unknown, { name, isRequired }: { name: string; isRequired: boolean }, walk: Walk): Field {
  walk.left.fields--;
  const { schema, isNullable } = withoutNull(resolved(given, walk.root), walk.root);
  const base: FieldBase = {
    name,
    title: textOf(schema, 'title') ?? name,
    description: textOf(schema, 'description') ?? (isRecord(given) ? textOf(given, 'description') : undefined) ?? '',
    isRequired,
    isNullable,
    initial: isRecord(walk.root) ? prefillInput(withDefinitions(schema, walk.root)) : undefined,
  };
  if (walk.depth > deepest || walk.left.fields <= 0) return { ...base, kind: 'json' };
  const within = { ...walk, depth: walk.depth + 1 };
  const choices = choicesOf(schema, walk.root);
  if (choices !== undefined) return { ...base, kind: 'choice', choices };
  switch (typeOf(schema)) {
    case 'string':
      return { ...base, kind: 'text', isLong: isLong(schema), format: textOf(schema, 'format') };
    case 'number':
      return { ...base, kind: 'number', isInteger: false };
    case 'integer':
      return { ...base, kind: 'number', isInteger: true };
    case 'boolean':
      return { ...base, kind: 'boolean' };
    case 'array':
      return isRecord(schema['items'])
        ? { ...base, kind: 'list', item: fieldOf(schema['items'], { name: '', isRequired: true }, within) }
        : { ...base, kind: 'json' };
    case 'object':
      return objectField(schema, base, within);
    default:
      return { ...base, kind: 'json' };
  }
}

function objectField(schema: Schema, base: FieldBase, walk: Walk): Field {
  const { properties, required } = schema;
  if (!isRecord(properties) || Object.keys(properties).length === 0) return { ...base, kind: 'json' };
  const wanted = new Set<unknown>(Array.isArray(required) ? required : []);
  return {
    ...base,
    kind: 'object',
    fields: Object.entries(properties).map(([name, property]) =>
      fieldOf(property, { name, isRequired: wanted.has(name) }, walk),
    ),
  };
}

type Schema = Readonly<Record<string, unknown>>;

/** What `#/$defs/Name` names; a chain of references is followed a few steps. */
function resolved(schema: unknown, root: unknown): Schema {
  let at: unknown = schema;
  for (let step = 0; step < 10; step++) {
    if (!isRecord(at)) return {};
    const reference = at['$ref'];
    if (typeof reference !== 'string') return at;
    at = pointed(root, reference);
  }
  return {};
}

function pointed(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#')) return undefined;
  let at: unknown = root;
  for (const part of reference.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (!isRecord(at) || !Object.hasOwn(at, name)) return undefined;
    at = at[name];
  }
  return at;
}

/** `anyOf: [X, null]` and `type: [x, null]` are an X that may be null. */
function withoutNull(schema: Schema, root: unknown): { schema: Schema; isNullable: boolean } {
  const { type } = schema;
  if (Array.isArray(type) && type.includes('null')) {
    const others = type.filter((each) => each !== 'null');
    return { schema: { ...schema, type: others.length === 1 ? others[0] : others }, isNullable: true };
  }
  for (const name of ['anyOf', 'oneOf']) {
    const list = schema[name];
    if (!Array.isArray(list)) continue;
    const parts = list.map((part: unknown) => resolved(part, root));
    const others = parts.filter((part) => part['type'] !== 'null');
    if (others.length === 1 && others[0] !== undefined) {
      const { [name]: _, ...rest } = schema;
      return { schema: { ...rest, ...others[0] }, isNullable: others.length < parts.length };
    }
    const { [name]: __, ...rest } = schema;
    if (others.length < parts.length) return { schema: { ...rest, [name]: others }, isNullable: true };
  }
  return { schema, isNullable: schema['nullable'] === true };
}

/** Of an enum, or of alternatives that are constants. */
function choicesOf(schema: Schema, root: unknown): readonly unknown[] | undefined {
  const { enum: values } = schema;
  if (Array.isArray(values) && values.length > 0) return values.filter((value) => value !== null);
  if ('const' in schema) return [schema['const']];
  for (const name of ['anyOf', 'oneOf']) {
    const list = schema[name];
    if (!Array.isArray(list) || list.length === 0) continue;
    const parts = list.map((part: unknown) => resolved(part, root));
    if (parts.every((part) => 'const' in part)) return parts.map((part) => part['const']);
  }
  return undefined;
}

function typeOf(schema: Schema): string | undefined {
  const { type } = schema;
  if (typeof type === 'string') return type;
  return type === undefined && isRecord(schema['properties']) ? 'object' : undefined;
}

/** A definition's own references start at the root. */
function withDefinitions(schema: Schema, root: Schema): Schema {
  return {
    ...('$defs' in root ? { $defs: root['$defs'] } : {}),
    ...('definitions' in root ? { definitions: root['definitions'] } : {}),
    ...schema,
  };
}

function isLong(schema: Schema): boolean {
  const { maxLength } = schema;
  return typeof maxLength === 'number' && maxLength > 200;
}

function textOf(schema: Schema, name: string): string | undefined {
  const value = schema[name];
  return typeof value === 'string' ? value : undefined;
}
