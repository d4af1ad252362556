import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { StandardSchema } from './standard-schema.ts';

const target = 'draft-2020-12';

/**
 * The JSON Schema of what the schema takes, for forms and checks outside of the worker.
 * From the schema itself where its library can (zod 4.6, arktype 2.2), else from zod's own converter,
 * else from @valibot/to-json-schema where the project has it; `undefined` where nothing can tell,
 * or where the schema holds something that JSON Schema cannot say.
 */
export async function inputJsonSchema(schema: StandardSchema): Promise<object | undefined> {
  try {
    return fromStandard(schema) ?? (await fromLibrary(schema));
  } catch {
    return undefined;
  }
}

function fromStandard(schema: StandardSchema): object | undefined {
  const converter: unknown = Reflect.get(schema['~standard'], 'jsonSchema');
  if (!isObject(converter)) return undefined;
  const input: unknown = Reflect.get(converter, 'input');
  if (typeof input !== 'function') return undefined;
  return objectOrNothing(Reflect.apply(input, converter, [{ target }]));
}

const libraries: Partial<Record<string, { module: string; convert: string; options: object }>> = {
  zod: { module: 'zod', convert: 'toJSONSchema', options: { io: 'input' } },
  valibot: { module: '@valibot/to-json-schema', convert: 'toJsonSchema', options: { typeMode: 'input' } },
};

async function fromLibrary(schema: StandardSchema): Promise<object | undefined> {
  const library = libraries[schema['~standard'].vendor];
  if (library === undefined) return undefined;
  const module = await importFromProject(library.module);
  const convert: unknown = Reflect.get(module, library.convert) ?? defaultExport(module, library.convert);
  if (typeof convert !== 'function') return undefined;
  return objectOrNothing(Reflect.apply(convert, undefined, [schema, library.options]));
}

/** From the project first: this package may be linked from a folder that does not see the project's own. */
async function importFromProject(name: string): Promise<object> {
  const project = createRequire(join(process.cwd(), 'package.json'));
  let path: string;
  try {
    path = project.resolve(name);
  } catch {
    return objectOrNothing(await import(name)) ?? {};
  }
  // In the CommonJS build `import` is `require`, which takes no URL. Not the other way round: a project of ES modules would
  // get a second copy of a library that has both forms.
  return objectOrNothing(await import(pathToFileURL(path).href).catch(() => project(path))) ?? {};
}

function defaultExport(module: object, name: string): unknown {
  const inner: unknown = Reflect.get(module, 'default');
  return isObject(inner) ? Reflect.get(inner, name) : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function objectOrNothing(value: unknown): object | undefined {
  return isObject(value) ? value : undefined;
}
